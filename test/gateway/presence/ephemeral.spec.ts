import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Schedule } from '../../../src/gateway/presence/schedule.js';
import { presences, reconnectMillisMax, statusReader, type Presences } from '../../../src/gateway/presence/presence.js';
import { typing, typingMillisMax, type Typing } from '../../../src/gateway/presence/typing.js';
import type { Delivery } from '../../../src/gateway/contract/updates.js';
import { channelChat, directChat } from '../../../src/kernel/chat.js';
import type { ChannelId, CommunityId, Millis, SessionId, UserId } from '../../../src/kernel/ids.js';
import { localPresence } from '../../../src/adapters/presence/local.js';
import { localPubSub } from '../../../src/adapters/pubsub/local.js';
import { nobodySees } from '../rig/stage.js';

/** Time that passes when the test says so. */
const timers = () => {
  const waiting = new Set<{ readonly at: number; readonly work: () => void }>();
  let now = 0;
  const later: Schedule = (millis, work) => {
    const timer = { at: now + millis, work };
    waiting.add(timer);
    return () => {
      waiting.delete(timer);
    };
  };
  const pass = (millis: number): void => {
    now += millis;
    for (const timer of [...waiting].filter(({ at }) => at <= now)) {
      waiting.delete(timer);
      timer.work();
    }
  };
  return { later, pass, waiting: () => waiting.size };
};

const failed = (error: unknown): void => {
  throw error;
};
const on = (user: bigint, session: bigint) => ({ user: user as UserId, session: session as SessionId });
const laptop = on(1n, 11n);
const phone = on(1n, 12n);

describe('presence', () => {
  const setting = async (t: TestContext) => {
    const told: Delivery[] = [];
    const time = timers();
    const presence = localPresence();
    const statusOf = statusReader(presence);
    const changed: UserId[] = [];
    const made: Presences = presences({
      presence,
      pubSub: localPubSub({ onListenerError: failed }),
      clock: { now: () => 1 as Millis },
      schedule: time.later,
      access: { seeing: (user) => Promise.resolve([user, 2n as UserId]) },
      statuses: { changed: (user) => void changed.push(user) },
      deliver: (items) => {
        told.push(...items);
        return told.length;
      },
      failed,
    });
    await made.start(() => []);
    t.after(() => made.close());
    const status = async (): Promise<unknown> => {
      const [shown] = await statusOf([laptop.user]);
      return shown?.status;
    };
    /** What was told, once everything under way is done. */
    const heard = async (): Promise<readonly unknown[]> => {
      for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
      return told
        .splice(0)
        .map(({ update }) =>
          'userStatus' in update ? (update.userStatus.status?.status ?? 'offline') : 'something else',
        );
    };
    return { made, time, status, statusOf, changed, heard };
  };
  const [online, idle] = [0, 1];

  it('of who comes is told to those who see them', async (t) => {
    const { made, heard, status, changed } = await setting(t);
    made.came(laptop);
    assert.deepEqual(await heard(), [online]);
    assert.equal(await status(), online);
    assert.deepEqual(changed, [laptop.user]);
  });

  it('does not end when the session comes back at once', async (t) => {
    const { made, time, heard, status } = await setting(t);
    made.came(laptop);
    await heard();
    made.went(laptop);
    time.pass(reconnectMillisMax - 1);
    made.came(laptop);
    time.pass(reconnectMillisMax);
    assert.deepEqual(await heard(), []);
    assert.equal(await status(), online);
  });

  it('ends when the session stays away', async (t) => {
    const { made, time, heard, status } = await setting(t);
    made.came(laptop);
    await heard();
    made.went(laptop);
    time.pass(reconnectMillisMax);
    assert.deepEqual(await heard(), ['offline']);
    assert.equal(await status(), undefined);
  });

  it('is the best of the sessions, told only when it changes', async (t) => {
    const { made, time, heard } = await setting(t);
    made.came(laptop);
    made.came(phone);
    assert.deepEqual(await heard(), [online]);
    await made.changeStatus(laptop, { status: 'idle', activities: [] });
    assert.deepEqual(await heard(), []);
    made.went(phone);
    time.pass(reconnectMillisMax);
    assert.deepEqual(await heard(), [idle]);
  });

  it('never says that somebody is invisible', async (t) => {
    const { made, heard, status } = await setting(t);
    made.came(laptop);
    await heard();
    await made.changeStatus(laptop, { status: 'invisible', activities: [] });
    assert.deepEqual(await heard(), ['offline']);
    assert.equal(await status(), undefined);
  });

  it('says what somebody is doing', async (t) => {
    const { made, statusOf, heard } = await setting(t);
    made.came(laptop);
    await heard();
    const playing = { title: 'Chess', type: 0, startTime: 5n };
    await made.changeStatus(laptop, { status: 'online', activities: [playing] });
    assert.deepEqual(await heard(), [online]);
    assert.deepEqual(await statusOf([laptop.user]), [{ status: online, activities: [playing] }]);
  });
});

describe('typing', () => {
  const viewers = [1n, 2n, 3n].map((user) => user as UserId);
  const channel = channelChat(5n as CommunityId, 6n as ChannelId);
  const setting = async (t: TestContext) => {
    const told: Delivery[] = [];
    const time = timers();
    const made: Typing = typing({
      pubSub: localPubSub({ onListenerError: failed }),
      schedule: time.later,
      access: { now: { ...nobodySees, viewersOf: () => viewers } },
      deliver: (items) => {
        told.push(...items);
        return told.length;
      },
      failed,
    });
    await made.start();
    t.after(() => made.close());
    const heard = (): readonly unknown[] =>
      told.splice(0).map(({ update, audience }) => {
        assert.ok('chatTyping' in update);
        return [update.chatTyping.typing, ...audience];
      });
    return { made, time, told, heard };
  };

  it('is told to all viewers but the one who types', async (t) => {
    const { made, told } = await setting(t);
    await made.set(laptop, { chat: channel, typing: true });
    const chatRef = { channel: { communityId: 5n, channelId: 6n } };
    assert.deepEqual(told, [{ audience: [2n, 3n], update: { chatTyping: { chatRef, userId: 1n, typing: true } } }]);
  });

  it('in a direct chat names the one who types', async (t) => {
    const { made, told } = await setting(t);
    await made.set(laptop, { chat: directChat(1n as UserId, 2n as UserId), typing: true });
    const update = told[0]?.update;
    assert.ok(update !== undefined && 'chatTyping' in update);
    assert.deepEqual(update.chatTyping.chatRef, { user: { userId: 1n } });
  });

  const endings: Readonly<Record<string, (made: Typing, time: ReturnType<typeof timers>) => void>> = {
    'with a message': (made) => {
      made.posted(channel, laptop.user);
    },
    'when the session goes': (made) => {
      made.went(laptop);
    },
    'after a while': (_, time) => {
      time.pass(typingMillisMax);
    },
  };
  for (const [how, end] of Object.entries(endings)) {
    it(`ends ${how}, once`, async (t) => {
      const { made, time, heard } = await setting(t);
      await made.set(laptop, { chat: channel, typing: true });
      heard();
      end(made, time);
      end(made, time);
      assert.deepEqual(heard(), [[false, 2n, 3n]]);
      assert.equal(time.waiting(), 0);
    });
  }

  it('of one does not end with the message of another', async (t) => {
    const { made, heard } = await setting(t);
    await made.set(laptop, { chat: channel, typing: true });
    heard();
    made.posted(channel, 2n as UserId);
    assert.deepEqual(heard(), []);
  });
});
