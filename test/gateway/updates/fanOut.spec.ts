import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { eventStoreDbEventLog } from '../../../src/adapters/eventLog/eventStoreDb.js';
import { memoryEventLog } from '../../../src/adapters/eventLog/memory.js';
import { systemIds } from '../../../src/adapters/system/ids.js';
import { eventKinds } from '../../../src/domain/registry.js';
import { mergeDeletions } from '../../../src/gateway/packages/messages/deletions.js';
import type { Delivery } from '../../../src/gateway/contract/updates.js';
import type { UpdateRenderer } from '../../../src/gateway/contract/updateView.js';
import { channelChat, selfChat } from '../../../src/kernel/chat.js';
import { gatherMillisMax } from '../../../src/gateway/updates/gatheredParts.js';
import { partIn } from '../../../src/kernel/parts.js';
import { startStandIn } from '../../support/eventStoreDb/standIn.js';
import { handTimers } from '../../support/handTimers.js';
import { noAdmission } from '../../../src/gateway/requests/admission.js';
import { eventCodec } from '../../../src/kernel/codec.js';
import type { Command, Decider, Decision } from '../../../src/kernel/decider.js';
import { executor } from '../../../src/kernel/execute.js';
import { foldedStreams } from '../../../src/kernel/foldedStreams.js';
import type { Event, Metadata, Position, Recorded } from '../../../src/kernel/event.js';
import type { ChannelId, CommunityId, MessageId, Millis, SessionId, UserId } from '../../../src/kernel/ids.js';
import type { EventLog } from '../../../src/kernel/ports/eventLog.js';
import { KeysMissing } from '../../../src/kernel/ports/sealer.js';
import { plainSealer } from '../../support/plainSealer.js';
import type { RawClient } from '../rig/rawClient.js';
import { stage, type Stage, type Staging } from '../rig/stage.js';

const user = 1n as UserId;
const chat = selfChat(user);
const sealer = plainSealer();
const codec = eventCodec(eventKinds, sealer);

const deletion = (message: number): Event => ({
  type: 'MessageDeleted',
  data: { message: BigInt(message), chat, author: user, by: user },
});

const sent = (message: number): Event => ({
  type: 'MessageSent',
  data: { message: BigInt(message), chat, author: user, mentions: [], text: 'hi', entities: [] },
});

type More = Partial<Pick<Metadata, 'asOf' | 'actor' | 'part' | '$causationId'>>;

const store = async (log: EventLog, event: Event, correlation: string, more: More = {}) => {
  const id = randomUUID();
  const stream = `test-${id}`;
  const metadata = { $correlationId: correlation, $causationId: id, command: 'Test', ...more };
  const envelope = { id, stream, metadata, period: '202601' };
  const missing = codec.write(event, envelope);
  if (missing instanceof KeysMissing) await sealer.makeKeys(missing.names);
  const written = codec.write(event, envelope);
  assert.ok('data' in written);
  return log.append(stream, [written], 'noStream');
};

const telling: Partial<UpdateRenderer> = {
  render: ({ type, data }) => {
    assert.equal(type, 'MessageDeleted');
    const { message } = data as { readonly message: MessageId };
    if (message === 13n) throw new Error('thirteen');
    return [{ audience: [user], update: { messageDeleted: { messageIds: [message] } }, merge: mergeDeletions }];
  },
};

/** All five hundred channels of a community, as they are after this command. */
const arranged = (command: bigint): readonly Delivery[] =>
  Array.from({ length: 500 }, (_, index) => {
    const [communityId, id] = [1n as CommunityId, BigInt(index + 1) as ChannelId];
    return {
      audience: [user],
      update: { channel: { channel: { id, communityId, position: Number(command) } } },
      merge: { place: channelChat(communityId, id), what: 'channel' },
    };
  });

/** Something that others wait for. */
const door = () => {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
};

const staged = async (
  t: TestContext,
  renderer: Partial<UpdateRenderer>,
  changes: Pick<Staging, 'log' | 'judge' | 'timers'> = {},
): Promise<Stage> => {
  const made = await stage({ renderer, ...changes });
  t.after(() => made.stop());
  return made;
};

/** Part of one command of a request that deletes so many messages. */
const partOf = (log: EventLog, message: number, of: number, request = 'a') =>
  store(log, deletion(message), request, { $causationId: request, ...partIn(message, of) });

const deleting: Decider<Command<'Delete', number>, undefined, Event> = {
  stream: ({ data }) => `test-${data.toString()}`,
  initial: undefined,
  evolve: {},
  // The type of this event is forgotten, and what would be personal in it with the type.
  rules: { Delete: (message) => [deletion(message)] as Decision<Event> },
};

const deleted = ({ received }: RawClient): readonly (readonly number[])[] =>
  received.flatMap(({ update }) => (update?.messageDeleted ? [update.messageDeleted.messageIds.map(Number)] : []));

describe('the fan-out', () => {
  it('tells in log order what is stored while it runs', async (t) => {
    const { signedIn, log } = await staged(t, telling);
    const client = await signedIn(user, 11n);
    await Promise.all([1, 2, 3, 4].map((message) => store(log, deletion(message), `request ${message.toString()}`)));
    await client.find(({ update }) => update?.messageDeleted?.messageIds[0] === 4n);
    assert.deepEqual(deleted(client), [[1], [2], [3], [4]]);
  });

  it('counts what it delivered for the user who did it', async (t) => {
    const counted: (readonly [user: string, deliveries: number])[] = [];
    const admission = { ...noAdmission(), delivered: (...of: (typeof counted)[0]) => counted.push(of) };
    const made = await stage({ renderer: telling, admission });
    t.after(() => made.stop());
    const clients = [await made.signedIn(user, 11n), await made.signedIn(user, 12n)];
    await store(made.log, deletion(1), 'request 1', { actor: '7' });
    await store(made.log, deletion(2), 'request 2');
    for (const client of clients) await client.find(({ update }) => update?.messageDeleted?.messageIds[0] === 2n);
    assert.deepEqual(counted, [['7', 2]]);
  });

  it('tells nobody of a message that the judge refuses, and folds it all the same', async (t) => {
    const folded: string[] = [];
    const { signedIn, log, fanOut } = await staged(
      t,
      {
        render: ({ type, data }) => {
          const { message } = data as { readonly message: MessageId };
          folded.push(`${type} ${message.toString()}`);
          return [{ audience: [user], update: { messageDeleted: { messageIds: [message] } } }];
        },
      },
      {
        judge: {
          refusalOf: ({ metadata }) => Promise.resolve(metadata.asOf === '3' ? 'MISSING_PERMISSION' : undefined),
        },
      },
    );
    const client = await signedIn(user, 11n);
    await store(log, sent(1), 'a', { asOf: '3' });
    await store(log, sent(2), 'b', { asOf: '4' });
    const { position } = await store(log, sent(3), 'c');
    await fanOut.reached(position);
    await client.find(({ update }) => update?.messageDeleted?.messageIds[0] === 3n);
    assert.deepEqual(deleted(client), [[2], [3]]);
    assert.deepEqual(folded, ['MessageSent 1', 'MessageSent 2', 'MessageSent 3']);
  });

  it('folds a message once that could not be judged at first', async (t) => {
    const folded: string[] = [];
    let looks = 0;
    const refusalOf = () => {
      looks += 1;
      return looks === 1 ? Promise.reject(new Error('the log does not answer')) : Promise.resolve(undefined);
    };
    const render = (event: Recorded) => {
      folded.push(event.type);
      return telling.render?.(event) ?? [];
    };
    const { signedIn, log, fanOut } = await staged(t, { render }, { judge: { refusalOf } });
    await signedIn(user, 11n);
    const { position } = await store(log, sent(1), 'a', { asOf: '3' });
    await fanOut.reached(position);
    assert.deepEqual([looks, folded], [2, ['MessageSent']]);
  });

  it('shows the renderer what comes next before any of it is told', async (t) => {
    const order: string[] = [];
    const { signedIn, log } = await staged(t, {
      prefetch: (batch) => order.push(...batch.map((stored) => `foreseen ${codec.factOf(stored) ?? ''}`)),
      render: (event) => {
        order.push(`told ${event.type}`);
        return telling.render?.(event) ?? [];
      },
    });
    const client = await signedIn(user, 11n);
    await store(log, deletion(1), 'request');
    await client.find(({ update }) => update?.messageDeleted?.messageIds[0] === 1n);
    assert.deepEqual(order, ['foreseen MessageDeleted', 'told MessageDeleted']);
  });

  it('tells deletions of one request that stand together as one', async (t) => {
    const { signedIn, log } = await staged(t, telling);
    const client = await signedIn(user, 11n);
    const requests = ['a', 'a', 'a', 'b', 'a', 'a'];
    await Promise.all(requests.map((request, index) => store(log, deletion(index), request)));
    await client.find(({ update }) => update?.messageDeleted?.messageIds.includes(5n as MessageId) === true);
    assert.deepEqual(deleted(client), [[0, 1, 2], [3], [4, 5]]);
  });

  it('tells of each channel once in a flush, however many commands arranged them', async (t) => {
    const [rendering, told] = [door(), door()];
    const { signedIn, log } = await staged(t, {
      render: async ({ data }) => {
        const { message } = data as { readonly message: MessageId };
        if (message === 0n) {
          rendering.open();
          await told.opened;
          return [];
        }
        return message > 10n ? (telling.render?.({ type: 'MessageDeleted', data } as never) ?? []) : arranged(message);
      },
    });
    const client = await signedIn(user, 11n);
    await store(log, deletion(0), 'before');
    await rendering.opened;
    for (let command = 1; command <= 10; command += 1) await store(log, deletion(command), command.toString());
    await store(log, deletion(20), 'after');
    told.open();
    await client.find(({ update }) => update?.channel?.channel?.id === 500n);
    await client.settled();
    const positions = client.received.flatMap(({ update }) => update?.channel?.channel?.position ?? []);
    assert.deepEqual([positions.length, new Set(positions)], [500, new Set([10])]);
  });

  it('lets others in after a few events, however many there are at once', async (t) => {
    const told = door();
    const timers = handTimers();
    const rendered: number[] = [];
    let turn = 0;
    const { log, fanOut } = await staged(
      t,
      {
        render: async ({ data }) => {
          const { message } = data as { readonly message: MessageId };
          if (message === 0n) await told.opened;
          // Each takes a part of a slice.
          timers.pass(3);
          if (message > 0n) rendered.push(turn);
          return [];
        },
      },
      { timers },
    );
    const others = (): void => {
      turn += 1;
      if (rendered.length < 20) setImmediate(others);
    };
    let last = 0n;
    for (let command = 0; command <= 20; command += 1) {
      last = (await store(log, deletion(command), command.toString())).position;
    }
    others();
    told.open();
    await fanOut.reached(last);
    for (let one = 0; one <= turn; one += 1) assert.ok(rendered.filter((each) => each === one).length <= 2);
  });

  it('leaves nothing out between what a connection is told and what it reads', async (t) => {
    const [loading, loaded] = [door(), door()];
    const connect = (): Promise<void> => {
      loading.open();
      return loaded.opened;
    };
    let read = 0n;
    const reached = (position: Position): undefined => {
      read = position;
    };
    const { client, log, fanOut, ...made } = await stage({
      renderer: { ...telling, connect },
      documents: { position: () => 0n, reached, folded: { position: () => 0n, reached } },
      handlers: () => ({
        chatsGetChats: async (_, call) => {
          await call.upToDate('messages');
          return { chats: {} };
        },
      }),
    });
    t.after(() => made.stop());
    const latecomer = await client();
    latecomer.ask(1, 'authAuthorize', { token: '1 11' });
    await loading.opened;
    const { position } = await store(log, deletion(1), 'meanwhile');
    await fanOut.reached(position);
    loaded.open();
    latecomer.ask(2, 'chatsGetChats', {});
    await latecomer.result(2);
    assert.deepEqual(deleted(latecomer), []);
    assert.ok(read >= position);
  });

  it('goes on after an event that cannot be told, and says which it was', async (t) => {
    const { signedIn, log, logged, metrics } = await staged(t, telling);
    const client = await signedIn(user, 11n);
    const { position } = await store(log, deletion(13), 'unlucky');
    await store(log, deletion(14), 'lucky');
    await client.find(({ update }) => update?.messageDeleted?.messageIds[0] === 14n);
    const line = logged.find(({ msg }) => msg === 'an event could not be told');
    assert.equal(line?.['position'], position.toString());
    assert.match(await metrics.text(), /osmium_failures_total 1/);
  });

  it('does not look into the body of what nobody cares about', async (t) => {
    const asked: string[] = [];
    const renderer: Partial<UpdateRenderer> = {
      isRelevant: (about, type) => {
        asked.push(`${about} ${type}`);
        return false;
      },
      render: () => assert.fail('told'),
    };
    const { log, fanOut } = await staged(t, renderer);
    const { position } = await store(log, deletion(1), 'request');
    await fanOut.reached(position);
    assert.deepEqual(asked, ['self.1 MessageDeleted']);
  });

  it('is reached by those who wait, once it has folded the event', async (t) => {
    const told: bigint[] = [];
    const { log, fanOut } = await staged(t, {
      render: ({ position }) => {
        told.push(position);
        return [];
      },
    });
    const { position } = await store(log, deletion(1), 'request');
    await fanOut.reached(position);
    assert.deepEqual(told, [position]);
    assert.equal(fanOut.reached(position), undefined);
  });

  it('hears of revoked sessions also when nobody cares', async (t) => {
    const { signedIn, log, fanOut } = await staged(t, { isRelevant: () => false });
    const revoked = { type: 'SessionRevoked', data: { user, session: 11n as SessionId } };
    const { position } = await store(log, revoked, 'request');
    await fanOut.reached(position);
    assert.equal(await (await signedIn(user, 11n)).closed, 1008);
  });

  it('subscribes again from where it was when its subscription breaks', async (t) => {
    const log = memoryEventLog({ now: () => Date.now() as Millis });
    let subscriptions = 0;
    const breaking: EventLog = {
      ...log,
      subscribe: (after) => {
        subscriptions += 1;
        const subscription = log.subscribe(after);
        if (subscriptions > 1) return subscription;
        return {
          close: () => {
            subscription.close();
          },
          async *[Symbol.asyncIterator]() {
            for await (const batch of subscription) {
              yield batch;
              throw new Error('cut');
            }
          },
        };
      },
    };
    const { signedIn } = await staged(t, telling, { log: breaking });
    const client = await signedIn(user, 11n);
    await store(log, deletion(1), 'before');
    await store(log, deletion(2), 'after');
    await client.find(({ update }) => update?.messageDeleted?.messageIds[0] === 2n);
    assert.deepEqual(deleted(client), [[1], [2]]);
    assert.equal(subscriptions, 2);
  });
});

describe('the fan-out, of requests that say how many parts they have', () => {
  it('tells all parts as one, in the place of the last, and holds nothing of others back', async (t) => {
    const { signedIn, log } = await staged(t, telling);
    const client = await signedIn(user, 11n);
    for (const message of [1, 2, 3]) {
      await partOf(log, message, 3);
      await store(log, deletion(message + 20), `other ${message.toString()}`);
    }
    await client.find(({ update }) => update?.messageDeleted?.messageIds.includes(23n as MessageId) === true);
    assert.deepEqual(deleted(client), [[21], [22], [1, 2, 3], [23]]);
  });

  it('counts a part that cannot be told', async (t) => {
    const { signedIn, log } = await staged(t, telling);
    const client = await signedIn(user, 11n);
    for (const index of [1, 2, 3]) {
      const message = index === 2 ? 13 : index;
      await store(log, deletion(message), 'a', { $causationId: 'a', ...partIn(index, 3) });
    }
    await client.find(({ update }) => update?.messageDeleted?.messageIds.includes(3n as MessageId) === true);
    assert.deepEqual(deleted(client), [[1, 3]]);
  });

  it('tells what there is before somebody gets or loses rights', async (t) => {
    const { signedIn, log, fanOut } = await staged(t, {
      render: (event) => (event.type === 'MessageDeleted' ? (telling.render?.(event) ?? []) : []),
    });
    const client = await signedIn(user, 11n);
    await partOf(log, 1, 3);
    await partOf(log, 2, 3);
    const left = { type: 'MemberLeft', data: { community: 1n as CommunityId, user } };
    const { position } = await store(log, left, 'other');
    await fanOut.reached(position);
    await client.settled();
    assert.deepEqual(deleted(client), [[1, 2]]);
  });

  it('leaves reads of a session behind all that it was sent', async (t) => {
    const timers = handTimers();
    const { signedIn, log, fanOut, hub } = await staged(t, telling, { timers });
    const client = await signedIn(user, 11n);
    await partOf(log, 1, 2);
    const { position } = await store(log, deletion(20), 'other');
    await fanOut.reached(position);
    timers.pass(gatherMillisMax);
    await client.find(({ update }) => update?.messageDeleted?.messageIds.includes(1n as MessageId) === true);
    assert.deepEqual(deleted(client), [[20], [1]]);
    assert.deepEqual(
      [...hub.sessions()].map(({ standpoint }) => standpoint.told),
      [position],
    );
  });

  it('tells a request as one also where the log takes one stream after the other', async (t) => {
    const standIn = await startStandIn();
    t.after(() => {
      standIn.kill();
    });
    const log = await eventStoreDbEventLog({ connectionString: standIn.connectionString });
    const { signedIn } = await staged(t, telling, { log, timers: handTimers() });
    const client = await signedIn(user, 11n);
    const needs = { log, codec, sealer };
    const streams = foldedStreams(needs);
    const execute = executor({ ...needs, streams, clock: { now: () => 0 as Millis }, ids: systemIds(() => 1n) });
    const commands = [1, 2, 3, 4, 5, 6, 7].map((message) => ({ type: 'Delete', data: message }) as const);
    await execute(deleting, () => commands, { commandId: 'a', correlationId: 'a' });
    await client.find(({ update }) => update?.messageDeleted?.messageIds.includes(7n as MessageId) === true);
    assert.deepEqual(deleted(client), [[1, 2, 3, 4, 5, 6, 7]]);
  });

  it('tells what there is when a node is killed after some of the parts, and goes on', async (t) => {
    const standIn = await startStandIn();
    t.after(() => {
      standIn.kill();
    });
    const open = () => eventStoreDbEventLog({ connectionString: standIn.connectionString });
    const [timers, log, dying] = [handTimers(), await open(), await open()];
    const { signedIn, fanOut } = await staged(t, telling, { log, timers });
    const client = await signedIn(user, 11n);
    for (const message of [1, 2, 3]) await partOf(dying, message, 7);
    await dying.close();
    const { position } = await store(log, deletion(20), 'other');
    await fanOut.reached(position);
    await client.find(({ update }) => update?.messageDeleted?.messageIds.includes(20n as MessageId) === true);
    assert.deepEqual(deleted(client), [[20]]);
    timers.pass(gatherMillisMax);
    await client.find(({ update }) => update?.messageDeleted?.messageIds.includes(3n as MessageId) === true);
    await partOf(log, 4, 7);
    await client.find(({ update }) => update?.messageDeleted?.messageIds.includes(4n as MessageId) === true);
    assert.deepEqual(deleted(client), [[20], [1, 2, 3], [4]]);
  });
});
