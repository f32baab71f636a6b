import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { typing, typingChatsMax, typingMillisMax, type Typing } from '../../../src/gateway/presence/typing.js';
import type { Call, Caller, Origin } from '../../../src/gateway/contract/call.js';
import type { AccessChange } from '../../../src/gateway/contract/viewerPermissions.js';
import type { Delivery } from '../../../src/gateway/contract/updates.js';
import { channelChat, directChat } from '../../../src/kernel/chat.js';
import type { ChannelId, CommunityId, SessionId, UserId } from '../../../src/kernel/ids.js';
import { nextTurn } from '../../../src/kernel/timing.js';
import { localPubSub } from '../../../src/adapters/pubsub/local.js';
import { nobodySees } from '../rig/stage.js';
import { passingTime } from './passingTime.js';

const failed = (error: unknown): void => {
  throw error;
};
const on = (user: bigint, session: bigint) => ({ user: user as UserId, session: session as SessionId });
const laptop = on(1n, 11n);
const phone = on(1n, 12n);

const viewers = [1n, 2n, 3n].map((user) => user as UserId);
const community = 5n as CommunityId;
const channel = channelChat(community, 6n as ChannelId);
const nothingChanged: AccessChange = { communities: new Set(), users: new Set() };
/** A request on a connection of this session. */
const over = (caller: Caller): Pick<Call, 'caller' | 'origin'> => ({ caller, origin: { session: { caller } } });
const closed: Origin = { session: undefined };

const typingSetting = async (t: TestContext) => {
  const told: Delivery[] = [];
  const time = passingTime();
  const rights = { mayWrite: true, load: (): Promise<void> | undefined => undefined };
  const listeners: ((change: AccessChange) => void)[] = [];
  const made: Typing = typing({
    pubSub: localPubSub({ onListenerError: failed }),
    schedule: time.later,
    access: {
      now: {
        ...nobodySees,
        viewersOf: () => viewers,
        mayWrite: () => rights.mayWrite,
        connectedMembers: () => viewers,
      },
      load: () => rights.load(),
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

describe('typing in a community that has left memory', () => {
  const changedMeanwhile = async (t: TestContext, right: 'kept' | 'lost'): Promise<readonly unknown[]> => {
    const here = await typingSetting(t);
    await here.begun();
    here.rights.mayWrite = false;
    here.rights.load = async () => {
      await nextTurn();
      here.rights.mayWrite = right === 'kept';
    };
    here.changed({ users: new Set([laptop.user]) });
    await nextTurn();
    await nextTurn();
    return here.heard();
  };

  it('goes on where another membership of the user changes', async (t) => {
    assert.deepEqual(await changedMeanwhile(t, 'kept'), []);
  });

  it('ends once it is known that the right has gone', async (t) => {
    assert.deepEqual(await changedMeanwhile(t, 'lost'), [[false, 2n, 3n]]);
  });
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
