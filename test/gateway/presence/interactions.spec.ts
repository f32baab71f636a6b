import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { localPubSub } from '../../../src/adapters/pubsub/local.js';
import { sealedPubSub } from '../../../src/adapters/pubsub/sealed.js';
import { presenceSeal } from '../../../src/adapters/sealer/presenceSeal.js';
import type { Caller, Origin } from '../../../src/gateway/contract/call.js';
import type { Delivery } from '../../../src/gateway/contract/updates.js';
import {
  interactions,
  lookMillisMax,
  pressesPerUserMax,
  pressMillisMax,
  type Interactions,
} from '../../../src/gateway/presence/interactions.js';
import { selfChat } from '../../../src/kernel/chat.js';
import { isRejection } from '../../../src/kernel/decider.js';
import type { InteractionId, MessageId, SessionId, UserId } from '../../../src/kernel/ids.js';
import type { PubSub } from '../../../src/kernel/ports/pubSub.js';
import { nobodySees } from '../rig/stage.js';
import { passingTime } from './passingTime.js';

const failed = (error: unknown): void => {
  throw error;
};
const [bot, other] = [7n as UserId, 8n as UserId];
const chat = selfChat(1n as UserId);
const press = { bot, chat, message: 20n as MessageId, data: 'make coffee' };
const over = (user: bigint) => {
  const caller: Caller = { user: user as UserId, session: (user * 10n) as SessionId };
  const origin: Origin = { session: { caller } };
  return { caller, origin };
};

type Place = { readonly made: Interactions; readonly asked: () => readonly InteractionId[]; sight: boolean };

/** Two nodes, and a time that passes for both. */
const setting = async (t: TestContext, { lookMillis = lookMillisMax } = {}) => {
  const time = passingTime();
  const pubSub = localPubSub({ onListenerError: failed });
  let ids = 100n;
  const node = async (carrier: PubSub = pubSub): Promise<Place> => {
    const told: Delivery[] = [];
    const place: Place = {
      sight: true,
      asked: () =>
        told.splice(0).map(({ update, audience }) => {
          assert.ok('interaction' in update);
          assert.deepEqual([...audience], [bot]);
          return update.interaction.interactionId as InteractionId;
        }),
      made: interactions({
        pubSub: carrier,
        schedule: time.later,
        ids: { next: () => (ids += 1n), commandId: () => `attempt ${(ids += 1n).toString()}` },
        access: { now: { ...nobodySees, maySee: () => place.sight }, load: () => undefined },
        deliver: (items) => told.push(...items),
        lookMillis,
      }),
    };
    await place.made.start();
    t.after(() => place.made.close());
    return place;
  };
  return { time, node, here: await node(), elsewhere: await node() };
};

const only = (ids: readonly InteractionId[]): InteractionId => {
  const [id] = ids;
  assert.ok(id !== undefined && ids.length === 1);
  return id;
};

describe('a press', () => {
  it('is told to the bot on every node, and answered from any', async (t) => {
    const { here, elsewhere } = await setting(t);
    const answer = here.made.press(over(1n), press);
    const id = only(elsewhere.asked());
    assert.equal(only(here.asked()), id);
    assert.equal(await elsewhere.made.answer(bot, id, { message: 'brewing' }), undefined);
    assert.deepEqual(await answer, { message: 'brewing' });
  });

  it('and its answer pass sealed through what is between the nodes', async (t) => {
    const { node } = await setting(t);
    const passed: string[] = [];
    const between = localPubSub({ onListenerError: failed });
    const watched: PubSub = {
      ...between,
      publish: (topic, message) => {
        passed.push(Buffer.from(message).toString());
        return between.publish(topic, message);
      },
    };
    const seal = await presenceSeal({ create: () => Promise.resolve(Buffer.alloc(32, 7)) });
    const carrier = sealedPubSub(watched, seal, new Set(['interactions']));
    const [one, two] = [await node(carrier), await node(carrier)];
    const answer = one.made.press(over(1n), press);
    assert.equal(await two.made.answer(bot, only(two.asked()), { message: 'brewing' }), undefined);
    assert.deepEqual(await answer, { message: 'brewing' });
    assert.ok(passed.length > 0 && !passed.some((text) => /coffee|brewing/.test(text)), passed.join('\n'));
  });

  it('takes the first answer of its bot, and no other', async (t) => {
    const { time, here, elsewhere } = await setting(t);
    const answer = here.made.press(over(1n), press);
    const id = only(here.asked());
    const stranger = elsewhere.made.answer(other, id, { message: 'fooled' });
    await turn();
    time.pass(lookMillisMax);
    assert.ok(isRejection(await stranger));
    const both = [here, elsewhere].map(({ made }) => made.answer(bot, id, {}));
    await turn();
    time.pass(lookMillisMax);
    const outcomes = await Promise.all(both);
    assert.deepEqual(outcomes, [undefined, { rejected: 'INTERACTION_NOT_FOUND' }]);
    assert.deepEqual(await answer, {});
  });

  it('that is not answered in time is given up, and its answer comes too late', async (t) => {
    const { time, here, elsewhere } = await setting(t);
    const answer = here.made.press(over(1n), press);
    const id = only(here.asked());
    time.pass(pressMillisMax - 1);
    time.pass(1);
    const outcome = await answer;
    assert.ok(isRejection(outcome) && outcome.rejected === 'UNAVAILABLE');
    const late = elsewhere.made.answer(bot, id, {});
    await turn();
    time.pass(lookMillisMax);
    assert.deepEqual(await late, { rejected: 'INTERACTION_NOT_FOUND' });
    assert.equal(time.waiting(), 0);
  });

  it('is refused when no connection of the bot was told, as where it does not see the chat any more', async (t) => {
    const { here, elsewhere, time } = await setting(t);
    here.sight = false;
    elsewhere.sight = false;
    const answer = here.made.press(over(1n), press);
    await turn();
    time.pass(lookMillisMax);
    assert.deepEqual(await answer, { rejected: 'UNAVAILABLE', detail: 'the bot is not connected' });
    assert.deepEqual(here.asked(), []);
    elsewhere.sight = true;
    const other = here.made.press(over(1n), press);
    await turn();
    time.pass(lookMillisMax);
    assert.equal(await elsewhere.made.answer(bot, only(elsewhere.asked()), {}), undefined);
    assert.deepEqual(await other, {});
  });

  it('beyond five that wait is refused, until one of them ends', async (t) => {
    const { here } = await setting(t);
    const call = over(1n);
    for (let pressed = 0; pressed < pressesPerUserMax; pressed += 1) void here.made.press(call, press);
    const ids = here.asked();
    const refused = await here.made.press(call, press);
    assert.ok(isRejection(refused) && refused.rejected === 'RATE_LIMITED');
    assert.deepEqual(here.asked(), []);
    void here.made.press(over(2n), press);
    assert.equal(here.asked().length, 1);
    await here.made.answer(bot, ids[0] ?? (0n as InteractionId), {});
    void here.made.press(call, press);
    assert.equal(here.asked().length, 1);
  });

  it('ends with its connection, and with its node', async (t) => {
    const { here } = await setting(t, { lookMillis: 0 });
    const [call, another] = [over(1n), over(2n)];
    const [gone, staying] = [here.made.press(call, press), here.made.press(another, press)];
    const [first = 0n as InteractionId] = here.asked();
    here.made.left(call.origin, call.caller.user);
    assert.ok(isRejection(await gone));
    assert.deepEqual(await here.made.answer(bot, first, {}), { rejected: 'INTERACTION_NOT_FOUND' });
    here.made.stopping();
    assert.ok(isRejection(await staying));
  });

  it('is not looked for elsewhere where there is one node', async (t) => {
    const { here, time } = await setting(t, { lookMillis: 0 });
    assert.deepEqual(await here.made.answer(bot, 5n as InteractionId, {}), { rejected: 'INTERACTION_NOT_FOUND' });
    assert.equal(time.waiting(), 0);
  });
});
