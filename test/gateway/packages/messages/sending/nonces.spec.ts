import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { nonceMillisMax, nonces, type Nonced } from '../../../../../src/gateway/packages/messages/sending/nonces.js';
import type { ChatKey } from '../../../../../src/kernel/chat.js';
import type { MessageId } from '../../../../../src/kernel/ids.js';
import type { EventLog } from '../../../../../src/kernel/ports/eventLog.js';
import { openStore } from '../../../../projections/setting.js';
import { bob, cleo, dm, general, slow, slowSeconds } from '../people.js';
import { stage, type Node, type Stage } from '../stage.js';

let here: Stage;
before(async () => {
  here = await stage();
});
after(() => here.close());

let nonce = 1000n;
beforeEach(() => {
  nonce += 1n;
});

type Sending = {
  readonly node: Node;
  readonly session?: number;
  readonly message?: string;
  readonly clientId?: bigint;
};

const sent = async ({ node, session = 1, message = 'hi', clientId = nonce }: Sending, chatRef = general) => {
  const answer = await node.ask('messagesSendMessage', { chatRef, message, clientId }, node.call(bob, session));
  return 'rejected' in answer ? answer.rejected : answer.sentMessage.messageId;
};
const messagesIn = async (node: Node, chatRef = general): Promise<number> => {
  const { messages } = await node.get('messagesGetHistory', { chatRef, limit: 100 }, bob);
  return messages.messages?.length ?? 0;
};
/** The log of a node that dies right after something was stored. */
const dying = (log: EventLog): EventLog => ({
  ...log,
  append: async (...append) => {
    await log.append(...append);
    throw new Error('the power is gone');
  },
});

describe('a message sent again under its nonce', () => {
  it('is one message when the first is still on its way', async () => {
    const node = here.node();
    const [first, second] = await Promise.all([sent({ node }), sent({ node })]);
    assert.equal(first, second);
  });
  it('is one message when the first was stored and the answer lost', async () => {
    const node = here.node();
    const before = await messagesIn(node);
    assert.equal(await sent({ node }), await sent({ node }));
    assert.equal(await messagesIn(node), before + 1);
  });
  it('is one message after the server was started anew', async () => {
    const first = await sent({ node: here.node() });
    assert.equal(await sent({ node: here.node() }), first);
  });
  it('is one message when the server died before it could answer', async () => {
    const before = await messagesIn(here.node());
    await assert.rejects(sent({ node: here.node({ log: dying(here.log) }) }), /the power is gone/);
    const node = here.node();
    assert.ok(typeof (await sent({ node })) === 'bigint');
    assert.equal(await messagesIn(node), before + 1);
  });
  it('is one message when the node did not hear that it was stored, and lives on', async () => {
    let dead = true;
    const log: EventLog = {
      ...here.log,
      append: (...append) => (dead ? dying(here.log) : here.log).append(...append),
    };
    const node = here.node({ log });
    const before = await messagesIn(node);
    await assert.rejects(sent({ node }));
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
    const node = here.node({ log });
    await sent({ node, message: 'ho' });
    dead = true;
    const before = await messagesIn(node);
    await assert.rejects(sent({ node }));
    dead = false;
    await sent({ node });
    assert.equal(await messagesIn(node), before + 1);
  });
  it('is another message of another session', async () => {
    const node = here.node();
    assert.notEqual(await sent({ node, session: 1 }), await sent({ node, session: 2 }));
    assert.notEqual(await sent({ node: here.node(), session: 3 }), await sent({ node, session: 2 }));
  });
  it('is another message with another text or in another chat', async () => {
    const node = here.node();
    const ids = [await sent({ node }), await sent({ node, message: 'ho' }), await sent({ node }, dm(cleo))];
    assert.equal(new Set(ids).size, 3);
  });
  it('is another message after ten minutes, also on another node', async () => {
    const node = here.node();
    const first = await sent({ node });
    here.clock.at += nonceMillisMax + 1;
    assert.notEqual(await sent({ node: here.node() }), first);
    assert.notEqual(await sent({ node }), first);
  });
  it('is one message for ten minutes and no longer, although the clock was ahead by ten years when it was sent', async () => {
    here.clock.ahead = 10 * 365 * 24 * 3_600_000;
    const first = await sent({ node: here.node() });
    here.clock.ahead = 0;
    const node = here.node();
    assert.equal(await sent({ node }), first);
    here.clock.at += nonceMillisMax + 1;
    // A session that comes anew, because for one that has been here for so long nothing is looked up.
    const call = node.call(bob, 1);
    const request = { chatRef: general, message: 'hi', clientId: nonce };
    const answer = await node.ask('messagesSendMessage', request, { ...call, caller: { ...call.caller } });
    assert.ok('sentMessage' in answer && answer.sentMessage.messageId !== first);
  });
  it('is one message although the clock is set ahead meanwhile', async () => {
    const node = here.node();
    const first = await sent({ node });
    here.clock.ahead = 3_600_000;
    assert.equal(await sent({ node }), first);
    here.clock.ahead = 0;
  });
  it('is another message when the nonce is 0', async () => {
    const node = here.node();
    assert.notEqual(await sent({ node, clientId: 0n }), await sent({ node, clientId: 0n }));
  });
  it('is tried anew when it was refused', async () => {
    const node = here.node();
    await sent({ node, clientId: 0n }, slow);
    assert.equal(await sent({ node }, slow), 'SLOWMODE');
    here.clock.at += slowSeconds * 1000;
    assert.ok(typeof (await sent({ node }, slow)) === 'bigint');
  });
  it('is still known when another one of its nonce was refused', async () => {
    const node = here.node();
    here.clock.at += slowSeconds * 1000;
    const first = await sent({ node }, slow);
    assert.equal(await sent({ node, message: 'ho' }, slow), 'SLOWMODE');
    assert.equal(await sent({ node }, slow), first);
  });
  it('does not have to wait for slow mode', async () => {
    const node = here.node();
    here.clock.at += slowSeconds * 1000;
    assert.equal(await sent({ node }, slow), await sent({ node: here.node() }, slow));
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
        let node = here.node();
        for (const { restarts, session, nonce: number, message } of steps) {
          if (restarts) node = here.node();
          const id = await sent({ node, session, message, clientId: BigInt(number) });
          const name = `${session.toString()} ${number.toString()}`;
          const before = newest.get(name);
          if (before?.message === message) assert.equal(id, before.id);
          else assert.ok(!ids.has(id), 'a new message has an id that was there already');
          ids.add(id);
          newest.set(name, { message, id: id as MessageId });
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('what a node remembers of nonces', () => {
  const chat = 'channel.100.101' as ChatKey;
  const bounds = { sendsMax: 2, textUnitsMax: 100 };

  /** Of a session that has just come; tells of each send whether the read model was asked. */
  const newcomer = async () => {
    const node = here.node();
    let reads = 0;
    const store = await openStore();
    const range: typeof store.range = (wanted) => {
      reads += 1;
      return store.range(wanted);
    };
    const remembered = nonces({ store: { ...store, range } }, bounds);
    return async (sending: Nonced): Promise<boolean> => {
      const before = reads;
      await remembered.once(node.call(bob), sending, async (earlier) => (await earlier()) ?? (5n as MessageId));
      return reads > before;
    };
  };
  /** The same for a session that came ten minutes ago. */
  const asked = async (...sends: readonly Nonced[]): Promise<readonly boolean[]> => {
    const asks = await newcomer();
    await asks({ chat, text: 'the first request', nonce: 1n });
    here.clock.at += nonceMillisMax + 1;
    const looked: boolean[] = [];
    for (const sending of sends) looked.push(await asks(sending));
    return looked;
  };
  const numbered = (number: bigint, text = 'hi'): Nonced => ({ chat, text, nonce: number });

  it('is fetched once for who has just come', async () => {
    const asks = await newcomer();
    assert.deepEqual(
      [await asks(numbered(1n)), await asks(numbered(2n)), await asks(numbered(1n))],
      [true, false, false],
    );
  });
  it('is all that it takes for who has been here for long', async () => {
    assert.deepEqual(await asked(numbered(2n), numbered(3n), numbered(2n)), [false, false, false]);
  });
  it('has a bound in number, above which the read model is asked again', async () => {
    assert.deepEqual(await asked(numbered(2n), numbered(3n), numbered(4n), numbered(2n)), [false, false, false, true]);
  });
  it('has a bound in text, above which the read model is asked again', async () => {
    assert.deepEqual(await asked(numbered(2n), numbered(3n, 'x'.repeat(101)), numbered(2n)), [false, false, true]);
  });
});
