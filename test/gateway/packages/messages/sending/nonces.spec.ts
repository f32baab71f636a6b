import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { nonceMillisMax, nonces, type Nonced } from '../../../../../src/gateway/packages/messages/sending/nonces.js';
import type { Call, Caller } from '../../../../../src/gateway/contract/call.js';
import { freeMeter } from '../../../../../src/gateway/contract/meter.js';
import type { ChatKey } from '../../../../../src/kernel/chat.js';
import type { MessageId, Millis } from '../../../../../src/kernel/ids.js';
import type { DocumentStore, Plain } from '../../../../../src/kernel/ports/documentStore.js';
import type { EventLog } from '../../../../../src/kernel/ports/eventLog.js';
import { bob, cleo, dm, general, slow, slowSeconds } from '../../../../support/house/cast.js';
import { house, type House } from '../../../../support/house/house.js';
import { sessionOf, type Node } from '../../../../support/house/node.js';
import type { ReadableDocuments } from '../../../../../src/projections/reading/openedDocuments.js';

let here: House;
before(async () => {
  here = await house();
});
after(() => here.close());

let nonce = 1000n;
beforeEach(() => {
  nonce += 1n;
});

type Sending = {
  readonly node: Node;
  readonly session?: number;
} & Partial<Parameters<Node['send']>[1]>;

const sent = async ({ node, session = 1, ...asked }: Sending, chatRef = general) => {
  const request = { chatRef, message: 'hi', clientId: nonce, ...asked };
  const answer = await node.ask({ user: bob, session: BigInt(session) }, 'messagesSendMessage', request);
  return 'rejected' in answer ? answer.rejected : answer.sentMessage.messageId;
};
const messagesIn = async (node: Node, chatRef = general): Promise<number> => {
  const { messages } = await node.must(bob, 'messagesGetHistory', { chatRef, limit: 100 });
  return messages.messages.length;
};
const failing = async (sending: Sending): Promise<void> => {
  assert.equal(await sent(sending), 'INTERNAL');
  const [trouble, ...others] = sending.node.troubles.splice(0);
  assert.match(inspect(trouble), /the power is gone/);
  assert.deepEqual(others, []);
};
/** The log of a node that dies right after something was stored. */
const dying = (log: EventLog): EventLog => ({
  ...log,
  append: async (...append) => {
    await log.append(...append);
    throw new Error('the power is gone');
  },
});

const withoutHash = (document: Plain): Plain =>
  Object.fromEntries(Object.entries(document as object).filter(([name]) => name !== 'requestHash'));

const callers = new Map<number, Caller>();
const callerOf = (session: number): Caller => {
  const caller = callers.get(session) ?? sessionOf(bob, BigInt(session));
  callers.set(session, caller);
  return caller;
};
/** A request of Bob's, as far as the memory of nonces asks for it. */
const callOf = (session: number): Call =>
  ({
    caller: callerOf(session),
    meter: freeMeter,
    monotonic: here.clock.at,
    now: here.clock.at as Millis,
    upToDateWithLog: here.settled,
  }) as Pick<Call, 'caller' | 'meter' | 'monotonic' | 'now' | 'upToDateWithLog'> as Call;

describe('a message sent again under its nonce', () => {
  it('is one message when the first is still on its way', async () => {
    const node = await here.node();
    const [first, second] = await Promise.all([sent({ node }), sent({ node })]);
    assert.equal(first, second);
  });
  it('is one message when the first was stored and the answer lost', async () => {
    const node = await here.node();
    const before = await messagesIn(node);
    assert.equal(await sent({ node }), await sent({ node }));
    assert.equal(await messagesIn(node), before + 1);
  });
  it('is one message after the server was started anew', async () => {
    const first = await sent({ node: await here.node() });
    assert.equal(await sent({ node: await here.node() }), first);
  });
  it('is one message when the server died before it could answer', async () => {
    const before = await messagesIn(await here.node());
    await failing({ node: await here.node({ log: dying(here.log) }) });
    const node = await here.node();
    assert.ok(typeof (await sent({ node })) === 'bigint');
    assert.equal(await messagesIn(node), before + 1);
  });
  it('is one message when the node did not hear that it was stored, and lives on', async () => {
    let dead = true;
    const log: EventLog = {
      ...here.log,
      append: (...append) => (dead ? dying(here.log) : here.log).append(...append),
    };
    const node = await here.node({ log });
    const before = await messagesIn(node);
    await failing({ node });
    dead = false;
    await sent({ node });
    assert.equal(await messagesIn(node), before + 1);
  });
  it('is one message when the node did not hear that it was stored, after another one of its nonce', async () => {
    let dead = false;
    const log: EventLog = {
      ...here.log,
      append: (...append) => (dead ? dying(here.log) : here.log).append(...append),
    };
    const node = await here.node({ log });
    await sent({ node, message: 'ho' });
    dead = true;
    const before = await messagesIn(node);
    await failing({ node });
    dead = false;
    await sent({ node });
    assert.equal(await messagesIn(node), before + 1);
  });
  it('is another message of another session', async () => {
    const node = await here.node();
    assert.notEqual(await sent({ node, session: 1 }), await sent({ node, session: 2 }));
    assert.notEqual(await sent({ node: await here.node(), session: 3 }), await sent({ node, session: 2 }));
  });
  it('is another message with another text or in another chat', async () => {
    const node = await here.node();
    const ids = [await sent({ node }), await sent({ node, message: 'ho' }), await sent({ node }, dm(cleo))];
    assert.equal(new Set(ids).size, 3);
  });
  it('is another message when anything else in it differs, on the same node and on another one', async () => {
    const node = await here.node();
    const one = await node.send(bob, { chatRef: general, message: 'hi' });
    const other = await node.send(bob, { chatRef: general, message: 'hi' });
    const bold = [{ startIndex: 0, length: 1, bold: true }];
    const quoted = { messageId: one, quote: { message: 'hi' } };
    const asked = [
      {},
      { replyToOld: one },
      { replyToOld: other },
      { replyTo: quoted },
      { replyTo: { ...quoted, quote: { message: 'hi', entities: bold } } },
      { entities: bold },
    ];
    const ids = new Set<unknown>();
    for (const request of asked) {
      const id = await sent({ node, ...request });
      assert.equal(await sent({ node: await here.node(), ...request }), id);
      ids.add(id);
    }
    assert.equal(ids.size, asked.length);
  });
  it('is one message although what it quotes was edited meanwhile', async () => {
    const node = await here.node();
    const messageId = await node.send(bob, { chatRef: general, message: 'tea' });
    const asked = { replyTo: { messageId, quote: { message: 'tea' } } };
    const first = await sent({ node, ...asked });
    await node.must(bob, 'messagesEditMessage', { chatRef: general, messageId, message: 'coffee' });
    assert.equal(await sent({ node: await here.node(), ...asked }), first);
  });
  it('is one message when a former release stored it, which kept no hash and compares by the text', async () => {
    const first = await sent({ node: await here.node() });
    const range: DocumentStore['range'] = async (wanted) =>
      (await here.reads.store.range(wanted)).map((found) => ({ ...found, document: withoutHash(found.document) }));
    const again = async (text: string): Promise<unknown> => {
      const asked = { chat: 'channel.100.101' as ChatKey, text, nonce, requestHash: 'of this release' };
      const send = nonces({ store: { ...here.reads.store, range } }).once;
      return send(callOf(1), asked, async (earlier) => (await earlier()) ?? (5n as MessageId));
    };
    assert.deepEqual([await again('hi'), await again('ho')], [first, 5n]);
  });
  it('is another message after ten minutes, also on another node', async () => {
    const node = await here.node();
    const first = await sent({ node });
    here.clock.at += nonceMillisMax + 1;
    assert.notEqual(await sent({ node: await here.node() }), first);
    assert.notEqual(await sent({ node }), first);
  });
  it('is one message for ten minutes and no longer, although the clock was ahead by ten years when it was sent', async () => {
    here.clock.ahead = 10 * 365 * 24 * 3_600_000;
    const first = await sent({ node: await here.node() });
    here.clock.ahead = 0;
    const node = await here.node();
    assert.equal(await sent({ node }), first);
    here.clock.at += nonceMillisMax + 1;
    // A session that comes anew, because for one that has been here for so long nothing is looked up.
    await node.disconnect(bob);
    assert.notEqual(await sent({ node }), first);
  });
  it('is one message although the clock is set ahead meanwhile', async () => {
    const node = await here.node();
    const first = await sent({ node });
    here.clock.ahead = 3_600_000;
    assert.equal(await sent({ node }), first);
    here.clock.ahead = 0;
  });
  it('is another message when the nonce is 0', async () => {
    const node = await here.node();
    assert.notEqual(await sent({ node, clientId: 0n }), await sent({ node, clientId: 0n }));
  });
  it('is tried anew when it was refused', async () => {
    const node = await here.node();
    await sent({ node, clientId: 0n }, slow);
    assert.equal(await sent({ node }, slow), 'SLOWMODE');
    here.clock.at += slowSeconds * 1000;
    assert.ok(typeof (await sent({ node }, slow)) === 'bigint');
  });
  it('is still known when another one of its nonce was refused', async () => {
    const node = await here.node();
    here.clock.at += slowSeconds * 1000;
    const first = await sent({ node }, slow);
    assert.equal(await sent({ node, message: 'ho' }, slow), 'SLOWMODE');
    assert.equal(await sent({ node }, slow), first);
  });
  it('does not have to wait for slow mode', async () => {
    const node = await here.node();
    here.clock.at += slowSeconds * 1000;
    assert.equal(await sent({ node }, slow), await sent({ node: await here.node() }, slow));
  });

  it('is the newest message of its nonce, whatever was sent where and in which order', async () => {
    type Step = {
      readonly restarts: boolean;
      readonly session: number;
      readonly nonce: number;
      readonly message: string;
    };
    const step = fc.record<Step>({
      restarts: fc.boolean(),
      session: fc.integer({ min: 101, max: 102 }),
      nonce: fc.integer({ min: 1, max: 2 }),
      message: fc.constantFrom('a', 'b'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        // Of one example nothing is left for the next one.
        here.clock.at += nonceMillisMax + 1;
        const newest = new Map<string, { readonly message: string; readonly id: MessageId }>();
        const ids = new Set<unknown>();
        let node = await here.node();
        for (const { restarts, session, nonce: number, message } of steps) {
          if (restarts) {
            await node.close();
            node = await here.node();
          }
          const id = await sent({ node, session, message, clientId: BigInt(number) });
          const name = `${session.toString()} ${number.toString()}`;
          const before = newest.get(name);
          if (before?.message === message) assert.equal(id, before.id);
          else assert.ok(!ids.has(id), 'a new message has an id that was there already');
          ids.add(id);
          newest.set(name, { message, id: id as MessageId });
        }
        await node.close();
      }),
      { numRuns: 40 },
    );
  });
});

describe('what a node remembers of nonces', () => {
  const chat = 'channel.100.101' as ChatKey;
  const sendsMax = 2;

  /** Of a session that has just come; tells of each send how many documents were read for it. */
  const newcomer = async () => {
    let reads = 0;
    const store: ReadableDocuments = {
      ...here.reads.store,
      range: async (wanted) => {
        const found = await here.reads.store.range(wanted);
        reads += found.length;
        return found;
      },
    };
    const remembered = nonces({ store }, sendsMax);
    return async (sending: Nonced, session = 1): Promise<number> => {
      const before = reads;
      await remembered.once(callOf(session), sending, async (earlier) => (await earlier()) ?? (5n as MessageId));
      return reads - before;
    };
  };
  const numbered = (number: bigint): Nonced => ({ chat, text: 'hi', nonce: number, requestHash: 'the same' });

  /** Of a session that came ten minutes ago. */
  const asked = async (...sends: readonly bigint[]): Promise<readonly number[]> => {
    const earlier = await here.node();
    for (const clientId of new Set(sends)) await sent({ node: earlier, clientId, session: 1 });
    const asks = await newcomer();
    await asks(numbered(1n));
    here.clock.at += nonceMillisMax + 1;
    const looked: number[] = [];
    for (const one of sends) looked.push(await asks(numbered(one)));
    return looked;
  };

  it('is looked up by the one nonce, however much the session has sent', async () => {
    const node = await here.node();
    for (let clientId = 5001n; clientId <= 5030n; clientId += 1n) await sent({ node, clientId, session: 50 });
    const asks = await newcomer();
    assert.deepEqual([await asks(numbered(5001n), 50), await asks(numbered(1n), 50)], [1, 0]);
    assert.deepEqual([await asks(numbered(5030n), 50), await asks(numbered(5030n), 50)], [1, 0]);
  });
  it('is not looked up for a session that has sent nothing before', async () => {
    const asks = await newcomer();
    assert.equal(await asks(numbered(1n), 51), 0);
  });
  it('is all that it takes for who has been here for long', async () => {
    assert.deepEqual(await asked(6002n, 6003n, 6002n), [0, 0, 0]);
  });
  it('has a bound in number, above which the read model is asked again', async () => {
    assert.deepEqual(await asked(7002n, 7003n, 7004n, 7002n), [0, 0, 0, 1]);
  });
});
