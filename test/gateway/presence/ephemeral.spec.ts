import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Schedule } from '../../../src/gateway/presence/schedule.js';
import { presences, reconnectMillisMax, statusReader, type Presences } from '../../../src/gateway/presence/presence.js';
import { typing, typingChatsMax, typingMillisMax, type Typing } from '../../../src/gateway/presence/typing.js';
import type { Call, Caller, Origin } from '../../../src/gateway/contract/call.js';
import type { AccessChange } from '../../../src/gateway/contract/viewerPermissions.js';
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

const viewers = [1n, 2n, 3n].map((user) => user as UserId);
const community = 5n as CommunityId;
const channel = channelChat(community, 6n as ChannelId);
const nothingChanged: AccessChange = { communities: new Set(), users: new Set() };
/** A request on a connection of this session. */
const over = (caller: Caller): Pick<Call, 'caller' | 'origin'> => ({ caller, origin: { session: { caller } } });
const closed: Origin = { session: undefined };

const typingSetting = async (t: TestContext) => {
  const told: Delivery[] = [];
  const time = timers();
  const rights = { mayWrite: true };
  const listeners: ((change: AccessChange) => void)[] = [];
  const made: Typing = typing({
    pubSub: localPubSub({ onListenerError: failed }),
    schedule: time.later,
    access: {
      now: { ...nobodySees, viewersOf: () => viewers, mayWrite: () => rights.mayWrite },
      onChange: (listener) => void listeners.push(listener),
    },
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
  const begun = async (): Promise<ReturnType<typeof over>> => {
    const call = over(laptop);
    await made.set(call, { chat: channel, typing: true });
    assert.deepEqual(heard(), [[true, 2n, 3n]]);
    return call;
  };
  const changed = (change: Partial<AccessChange>): void => {
    for (const listener of listeners) listener({ ...nothingChanged, ...change });
  };
  return { made, time, told, heard, rights, begun, changed };
};
type Setting = Awaited<ReturnType<typeof typingSetting>>;

describe('typing', () => {
  it('is told to all viewers but the one who types', async (t) => {
    const { made, told } = await typingSetting(t);
    await made.set(over(laptop), { chat: channel, typing: true });
    const chatRef = { channel: { communityId: 5n, channelId: 6n } };
    assert.deepEqual(told, [{ audience: [2n, 3n], update: { chatTyping: { chatRef, userId: 1n, typing: true } } }]);
  });

  it('in a direct chat names the one who types', async (t) => {
    const { made, told } = await typingSetting(t);
    await made.set(over(laptop), { chat: directChat(1n as UserId, 2n as UserId), typing: true });
    const update = told[0]?.update;
    assert.ok(update !== undefined && 'chatTyping' in update);
    assert.deepEqual(update.chatTyping.chatRef, { user: { userId: 1n } });
  });

  it('does not begin when the right or the connection went while the request waited', async (t) => {
    const { made, heard, rights, time } = await typingSetting(t);
    await made.set({ caller: laptop, origin: closed }, { chat: channel, typing: true });
    await made.set({ caller: laptop, origin: over(phone).origin }, { chat: channel, typing: true });
    rights.mayWrite = false;
    await made.set(over(laptop), { chat: channel, typing: true });
    assert.deepEqual([heard(), time.waiting()], [[], 0]);
  });

  it('that never began ends without a word', async (t) => {
    const { made, heard } = await typingSetting(t);
    await made.set(over(laptop), { chat: channel, typing: false });
    assert.deepEqual(heard(), []);
  });
});

describe('the end of typing', () => {
  const endings: Readonly<Record<string, (setting: Setting, connection: Origin) => void>> = {
    'with a message': ({ made }) => {
      made.posted(channel, laptop.user);
    },
    'when the connection goes': ({ made }, connection) => {
      made.left(connection, laptop.user);
    },
    'after a while': ({ time }) => {
      time.pass(typingMillisMax);
    },
    'when the community takes the right away': ({ rights, changed }) => {
      rights.mayWrite = false;
      changed({ communities: new Set([community]) });
    },
    'when the membership changes and the right goes with it': ({ rights, changed }) => {
      rights.mayWrite = false;
      changed({ users: new Set([laptop.user]) });
    },
  };
  for (const [how, end] of Object.entries(endings)) {
    it(`ends ${how}, once`, async (t) => {
      const here = await typingSetting(t);
      const { origin } = await here.begun();
      end(here, origin);
      end(here, origin);
      assert.deepEqual(here.heard(), [[false, 2n, 3n]]);
      assert.equal(here.time.waiting(), 0);
    });
  }

  const goesOn: Readonly<Record<string, (setting: Setting) => void>> = {
    'when somebody else posts': ({ made }) => {
      made.posted(channel, 2n as UserId);
    },
    'when another connection of the session goes': ({ made }) => {
      made.left(over(laptop).origin, laptop.user);
    },
    'when the community changes and leaves the right': ({ changed }) => {
      changed({ communities: new Set([community]), users: new Set([laptop.user]) });
    },
    'when another community changes': ({ rights, changed }) => {
      rights.mayWrite = false;
      changed({ communities: new Set([7n as CommunityId]), users: new Set([2n as UserId]) });
    },
  };
  for (const [when, happen] of Object.entries(goesOn)) {
    it(`goes on ${when}`, async (t) => {
      const here = await typingSetting(t);
      await here.begun();
      happen(here);
      assert.deepEqual([here.heard(), here.time.waiting()], [[], 1]);
    });
  }
});

describe('typing over several connections', () => {
  it('is ended by its user without the right, over any connection of the session', async (t) => {
    const { made, heard, begun, rights, time } = await typingSetting(t);
    await begun();
    rights.mayWrite = false;
    await made.set(over(laptop), { chat: channel, typing: false });
    assert.deepEqual([heard(), time.waiting()], [[[false, 2n, 3n]], 0]);
  });

  it('goes on where it is repeated over another connection', async (t) => {
    const { made, heard, begun } = await typingSetting(t);
    const { origin } = await begun();
    await begun();
    made.left(origin, laptop.user);
    assert.deepEqual(heard(), []);
  });

  it('goes on while another session of the user types in the chat, and ends with the last', async (t) => {
    const { made, heard, begun } = await typingSetting(t);
    const { origin } = await begun();
    await made.set(over(phone), { chat: channel, typing: true });
    heard();
    made.left(origin, laptop.user);
    assert.deepEqual(heard(), []);
    await made.set(over(phone), { chat: channel, typing: false });
    assert.deepEqual(heard(), [[false, 2n, 3n]]);
  });

  it('ends where it began first when a session types in too many chats', async (t) => {
    const { made, told } = await typingSetting(t);
    const chats = Array.from({ length: typingChatsMax + 1 }, (_, index) =>
      channelChat(community, BigInt(10 + index) as ChannelId),
    );
    for (const chat of chats) await made.set(over(laptop), { chat, typing: true });
    const ended = told.flatMap(({ update }) => ('chatTyping' in update && !update.chatTyping.typing ? [update] : []));
    const chatRef = { channel: { communityId: 5n, channelId: 10n } };
    assert.deepEqual(ended, [{ chatTyping: { chatRef, userId: 1n, typing: false } }]);
  });
});
