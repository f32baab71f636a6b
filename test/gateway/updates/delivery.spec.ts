import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { memoryEventLog } from '../../../src/adapters/eventLog/memory.js';
import { cutMillisMax } from '../../../src/gateway/sockets/connection.js';
import { bufferedBytesMax } from '../../../src/gateway/frames/outbox.js';
import { Unavailable } from '../../../src/gateway/contract/errors.js';
import type { Delivery } from '../../../src/gateway/contract/updates.js';
import { nothing } from '../../../src/gen/rpcs.js';
import { reject } from '../../../src/kernel/decider.js';
import type { MessageId, Millis, SessionId, UserId } from '../../../src/kernel/ids.js';
import { initialize, type RawClient, type Received } from '../rig/rawClient.js';
import { stage, type Stage, type Staging } from '../rig/stage.js';

const staged = async (t: TestContext, staging?: Staging): Promise<Stage> => {
  const made = await stage(staging);
  t.after(() => made.stop());
  return made;
};

const users = (...ids: readonly bigint[]): readonly UserId[] => ids as readonly UserId[];

const named = (audience: readonly bigint[], name: string): Delivery => ({
  audience: users(...audience),
  update: { user: { userId: 9n as UserId, user: { name } } },
});

const posted = (audience: readonly bigint[], id: bigint): Delivery => {
  const message = { messageId: id as MessageId, message: 'hello' };
  return {
    audience: users(...audience),
    update: { messageCreated: { message } },
    perRecipient: {
      counts: audience.map((viewer) => (viewer === 1n ? 0 : Number(viewer))),
      countField: (channelUnreadCount) => ({ messageCreated: { channelUnreadCount } }),
      own: { recipient: 1n as UserId, fields: { messageCreated: { clientId: 77n } } },
    },
  };
};

const nameIn = ({ update }: Received): string | undefined => update?.user?.user?.name;
const called = (client: RawClient, name: string) => client.find((message) => nameIn(message) === name);
const namesHeard = (client: RawClient): readonly string[] =>
  client.received.flatMap((message) => nameIn(message) ?? []);

describe('an update', () => {
  it('reaches all connections of all sessions of its audience, in order, and nobody else', async (t) => {
    const { signedIn, hub } = await staged(t);
    const one = await signedIn(1n, 11n);
    const again = await signedIn(1n, 11n);
    const phone = await signedIn(1n, 12n);
    const other = await signedIn(2n, 22n);
    for (let index = 0; index < 50; index += 1) hub.deliver([named([1n], index.toString())]);
    hub.deliver([named([2n], 'for two')]);
    await Promise.all([one, again, phone].map((client) => called(client, '49')));
    await called(other, 'for two');
    for (const client of [one, again, phone]) assert.deepEqual(namesHeard(client), [...Array(50).keys()].map(String));
    assert.deepEqual(namesHeard(other), ['for two']);
  });

  it('is numbered together with results', async (t) => {
    const { signedIn, hub } = await staged(t);
    const client = await signedIn(1n, 11n);
    hub.deliver([named([1n], 'first')]);
    await client.settled();
    hub.deliver([named([1n], 'second')]);
    await called(client, 'second');
    // Who comes is told of their own status too, so how many there are in all does not matter.
    const ids = client.received.map(({ id }) => id);
    assert.deepEqual(
      ids,
      ids.map((_, index) => index + 1),
    );
  });

  it('of a message has the fields of its viewer', async (t) => {
    const { signedIn, hub } = await staged(t);
    const [author, reader] = [await signedIn(1n, 11n), await signedIn(300n, 33n)];
    hub.deliver([posted([1n, 300n], 5n)]);
    const isPosted = ({ update }: Received): boolean => update?.messageCreated !== undefined;
    const mine = (await author.find(isPosted)).update?.messageCreated;
    const theirs = (await reader.find(isPosted)).update?.messageCreated;
    assert.deepEqual([mine?.channelUnreadCount, mine?.clientId], [0, 77n]);
    assert.deepEqual([theirs?.channelUnreadCount, theirs?.clientId], [300, undefined]);
    assert.deepEqual(theirs?.message, mine?.message);
  });

  it('has its own id and count for each who is written the same, whatever stands between', async (t) => {
    const { signedIn, hub } = await staged(t);
    const viewers = [1n, 2n, 100n, 200n, 300n, 20_000n, 30_000n];
    const clients = await Promise.all(viewers.map((viewer) => signedIn(viewer, viewer + 10n)));
    // More than 127 of them, so that the ids outgrow one byte in the middle of a write.
    const ids = Array.from({ length: 150 }, (_, index) => BigInt(index + 1));
    for (const id of ids) {
      hub.deliver([posted(viewers, id)]);
      if (id % 50n === 0n) hub.deliver([named([200n], 'for one')]);
    }
    hub.deliver([named(viewers, 'end')]);
    for (const [place, client] of clients.entries()) {
      await called(client, 'end');
      assert.deepEqual(
        client.received.map(({ id }) => id),
        client.received.map((_, index) => index + 1),
      );
      const heard = client.received.flatMap(({ update }) => update?.messageCreated ?? []);
      assert.deepEqual(
        heard.map(({ message }) => message?.messageId),
        ids,
      );
      const count = place === 0 ? 0 : Number(viewers[place]);
      assert.ok(heard.every(({ channelUnreadCount }) => channelUnreadCount === count));
      assert.ok(heard.every(({ clientId }) => clientId === (place === 0 ? 77n : undefined)));
    }
    assert.equal(namesHeard(clients[3] as RawClient).length, 4); // There are seven.
  });

  it('is not sent to a connection that wants results only', async (t) => {
    const { signedIn, hub } = await staged(t);
    const client = await signedIn(1n, 11n, { noSubscribe: true });
    hub.deliver([named([1n], 'unheard')]);
    await client.settled();
    assert.deepEqual(namesHeard(client), []);
  });

  for (const [what, answer] of [
    ['that lets its connection in', { authorization: {} }],
    ['with which that comes to nothing', reject('USER_NOT_FOUND')],
  ] as const) {
    it(`waits for the answer ${what}, and then comes in order`, async (t) => {
      const { client, hub } = await staged(t, {
        handlers: () => ({
          authAuthorize: async (_, call) => {
            await call.authorize({ user: 1n as UserId, session: 11n as SessionId });
            hub.deliver([named([1n], 'first'), posted([1n], 5n), named([1n], 'second')]);
            await turn();
            return answer;
          },
        }),
      });
      const hasty = await client();
      hasty.ask(1, 'coreInitialize', initialize);
      hasty.ask(2, 'authAuthorize', {});
      await called(hasty, 'second');
      const [, answered, ...updates] = hasty.received;
      assert.equal(answered?.result?.reqId, 2);
      const heard = updates.filter(({ update }) => update?.userStatus === undefined);
      assert.deepEqual(heard.map(nameIn), ['first', undefined, 'second']);
      assert.equal(heard[1]?.update?.messageCreated?.clientId, 77n);
      hub.deliver([named([1n], 'third')]);
      await called(hasty, 'third');
    });
  }

  it('that waits for an answer counts as what has not been read', async (t) => {
    const { client, hub } = await staged(t, {
      handlers: () => ({
        authAuthorize: async (_, call) => {
          await call.authorize({ user: 1n as UserId, session: 11n as SessionId });
          return new Promise(() => undefined);
        },
      }),
    });
    const waiting = await client();
    waiting.ask(2, 'authAuthorize', {});
    const large = named([1n], 'x'.repeat(1_000_000));
    while (hub.deliver([large]) === 0) await turn();
    for (let bytes = 0; bytes < bufferedBytesMax; bytes += 1_000_000) hub.deliver([large]);
    assert.equal(await waiting.closed, 1013);
  });

  it('is sent once a connection has asked for it with success, however often it did without', async (t) => {
    const log = memoryEventLog({ now: () => Date.now() as Millis });
    let isAway = false;
    const end = (): Promise<bigint> => (isAway ? Promise.reject(new Unavailable('the log is away')) : log.end());
    const { signedIn, hub } = await staged(t, { log: { ...log, end } });
    const client = await signedIn(1n, 11n, { noSubscribe: true });
    isAway = true;
    client.ask(3, 'coreInitialize', initialize);
    assert.equal((await client.result(3)).error?.errorCode, 503);
    isAway = false;
    client.ask(4, 'coreInitialize', initialize);
    assert.ok((await client.result(4)).initialized);
    hub.deliver([named([1n], 'heard')]);
    await client.settled();
    assert.deepEqual(namesHeard(client), ['heard']);
  });

  it('that is over 1 MiB is dropped with an alarm, and the next one arrives', async (t) => {
    const { signedIn, hub, logged } = await staged(t);
    const client = await signedIn(1n, 11n);
    hub.deliver([named([1n], 'x'.repeat(1_048_576)), named([1n], 'next')]);
    await called(client, 'next');
    assert.deepEqual(namesHeard(client), ['next']);
    assert.ok(logged.some(({ msg }) => msg === 'an update is too large to be sent'));
  });

  it('of all sizes arrives whole', async (t) => {
    const { signedIn, hub } = await staged(t);
    const client = await signedIn(1n, 11n);
    const sizes = [0, 1, 90, 110, 124, 125, 126, 127, 65_000, 65_520, 65_535, 65_536, 200_000, 1_048_000];
    for (const size of sizes) hub.deliver([named([1n], 'x'.repeat(size))]);
    hub.deliver([named([1n], 'end')]);
    await called(client, 'end');
    assert.deepEqual(
      namesHeard(client).map((name) => name.length),
      [...sizes, 3],
    );
  });
});

describe('a session', () => {
  const revocation: Delivery = {
    audience: users(1n),
    update: { sessionDeleted: { sessionId: 11n as SessionId } },
    closes: 11n as SessionId,
  };
  const heardOfIt = ({ update }: Received): boolean => update?.sessionDeleted?.sessionId === 11n;

  it('that is revoked is told so, then closed with 1008; nothing later reaches it', async (t) => {
    const { signedIn, hub } = await staged(t);
    const [victim, other] = [await signedIn(1n, 11n), await signedIn(1n, 12n)];
    hub.deliver([revocation, named([1n], 'later')]);
    await called(other, 'later');
    assert.equal(await victim.closed, 1008);
    await victim.find(heardOfIt);
    await other.find(heardOfIt);
    assert.deepEqual(namesHeard(victim), []);
  });

  it('that was revoked while its connection came is closed', async (t) => {
    const { signedIn, hub } = await staged(t);
    hub.revoked(11n as SessionId);
    const client = await signedIn(1n, 11n);
    assert.equal(await client.closed, 1008);
  });

  it('is known to the renderer from its first connection to its last', async (t) => {
    const seen: string[] = [];
    let gone = (): void => undefined;
    const disconnected = new Promise<void>((resolve) => {
      gone = resolve;
    });
    const { signedIn } = await staged(t, {
      renderer: {
        connect: (user) => Promise.resolve(void seen.push(`connect ${user.toString()}`)),
        disconnect: (user) => {
          seen.push(`disconnect ${user.toString()}`);
          gone();
        },
      },
    });
    const clients = [await signedIn(1n, 11n), await signedIn(1n, 12n), await signedIn(1n, 12n)];
    for (const client of clients) await client.leave();
    await disconnected;
    assert.deepEqual(seen, ['connect 1', 'disconnect 1']);
  });
});

describe('a client that does not read', () => {
  it('is cut with 1013 or destroyed, counted, and others hear everything', async (t) => {
    const { signedIn, hub, metrics, fanOut } = await staged(t);
    assert.equal(fanOut.isRunning(), true);
    const [slow, quick] = [await signedIn(1n, 11n), await signedIn(2n, 22n)];
    slow.socket.pause();
    const bytes = 500_000;
    // What the system's own buffers take comes on top.
    const count = Math.ceil((2 * bufferedBytesMax + 16_777_216) / bytes);
    for (let index = 0; index < count; index += 1) {
      const name = index.toString().padEnd(bytes, '.');
      hub.deliver([named([1n, 2n], name)]);
      await called(quick, name);
    }
    assert.match(await metrics.text(), /osmium_cuts_total 1/);
    assert.equal(namesHeard(quick).length, count);
    slow.socket.resume();
    assert.ok([1013, 1006].includes(await slow.closed));
    assert.ok(namesHeard(slow).length < count);
  });

  it('hears everything byte for byte when it reads again, and so do those who read meanwhile', async (t) => {
    const { signedIn, hub, sockets } = await staged(t);
    const [first, slow, quick] = [await signedIn(1n, 11n), await signedIn(2n, 22n), await signedIn(3n, 33n)];
    slow.socket.pause();
    const names: string[] = [];
    // Differing frames of one length, so that a write that is not left alone is overwritten by the next.
    const told = (index: number): string => index.toString(36).padStart(4, '0').repeat(500);
    while (sockets.bufferedBytes() < 2_000_000) {
      const some = Array.from({ length: 20 }, (_, index) => told(names.length + index));
      names.push(...some);
      for (const name of some) hub.deliver([named([1n, 2n, 3n], name), posted([1n, 2n, 3n], BigInt(names.length))]);
      await called(quick, some.at(-1) ?? '');
    }
    hub.deliver([named([1n, 2n, 3n], 'end')]);
    slow.socket.resume();
    for (const [place, client] of [first, slow, quick].entries()) {
      await called(client, 'end');
      assert.deepEqual(namesHeard(client), [...names, 'end']);
      assert.deepEqual(
        client.received.map(({ id }) => id),
        client.received.map((_, index) => index + 1),
      );
      const counts = client.received.flatMap(({ update }) => update?.messageCreated?.channelUnreadCount ?? []);
      assert.equal(counts.length, names.length);
      assert.ok(counts.every((count) => count === (place === 0 ? 0 : place + 1)));
    }
  });

  it('and goes away harms nobody', async (t) => {
    const { signedIn, hub, sockets } = await staged(t);
    const [slow, quick] = [await signedIn(1n, 11n), await signedIn(2n, 22n)];
    slow.socket.pause();
    const names: string[] = [];
    while (sockets.bufferedBytes() < 1_000_000) {
      const name = names.length.toString(36).padStart(4, '0').repeat(2_500);
      names.push(name);
      hub.deliver([named([1n, 2n], name)]);
      await called(quick, name);
    }
    slow.socket.terminate();
    hub.deliver([named([1n, 2n], 'end')]);
    await called(quick, 'end');
    assert.deepEqual(namesHeard(quick), [...names, 'end']);
    await slow.closed;
  });

  it('is cut for good, also when it still waits for an answer that comes then', async (t) => {
    const answered = new AbortController();
    const answer = once(answered.signal, 'abort').then(() => nothing);
    const { signedIn, hub, sockets, metrics } = await staged(t, { handlers: () => ({ chatsSetTyping: () => answer }) });
    const slow = await signedIn(1n, 11n);
    slow.ask(100, 'chatsSetTyping', {});
    await slow.settled();
    slow.socket.pause();
    while (!(await metrics.text()).includes('osmium_cuts_total 1')) hub.deliver([named([1n], '.'.repeat(500_000))]);
    answered.abort();
    const began = performance.now();
    while (sockets.count() > 0) await turn();
    // Below the five seconds after which the socket's own timer would have ended it.
    assert.ok(performance.now() - began < 4 * cutMillisMax);
  });
});
