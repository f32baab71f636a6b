import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { communities } from '../../src/domain/communities/decide.js';
import { members } from '../../src/domain/members/decide.js';
import { messages } from '../../src/domain/messages/decide.js';
import { previews } from '../../src/domain/previews/decide.js';
import { users } from '../../src/domain/users/decide.js';
import { selfChat } from '../../src/kernel/chat.js';
import { decide, isRejection, type Command, type Decider, type Rejection } from '../../src/kernel/decider.js';
import { editPauseMillis, editsAtOnceMax } from '../../src/kernel/editPace.js';
import type { Event } from '../../src/kernel/event.js';
import { folding } from '../../src/kernel/foldedStreams.js';
import type { ChannelId, CommunityId, MessageId, Millis, RoleId, UserId } from '../../src/kernel/ids.js';
import { allPermissions } from '../../src/kernel/permissions.js';
import { begun, edit, general, random, created } from './communities/cast.js';
import { asPersonal } from '../support/bare.js';

const ada = 1n as UserId;
const start = 1_767_225_600_000;

/** Commands of one stream, decided one after the other; answers the outcome of each. */
const stream = <C extends Command, State, E extends Event>(
  decider: Decider<C, State, E>,
  history: readonly E[] = [],
) => {
  let state = folding(decider, decider.initial, history);
  return (command: C): number | Rejection => {
    const events = decide(decider, command, state);
    if (isRejection(events)) return events;
    state = folding(decider, state, events);
    return events.length;
  };
};

const tooEarly = { rejected: 'RATE_LIMITED', retryAfterSeconds: 10 };
type Edit = (number: number, at: Millis) => number | Rejection;

const message = 10n as MessageId;
const editMessage = (): Edit => {
  const about = { message, chat: selfChat(ada), by: ada };
  const run = stream(messages);
  run({ type: 'SendMessage', data: { ...about, text: 'hi', entities: [], mentions: [] } });
  return (number, at) => {
    const content = { text: number.toString(), entities: [], mentions: [], keepsText: false };
    return run({ type: 'EditMessage', data: { ...about, at, content } });
  };
};
const editProfile = (): Edit => {
  const run = stream(users);
  run({ type: 'RegisterUser', data: { user: ada, name: 'Ada', bot: false } });
  // Several fields at once are one edit.
  return (number, at) => run({ type: 'EditProfile', data: { user: ada, at, bio: number.toString(), color: number } });
};
const editNickname = (): Edit => {
  const about = { community: 100n as CommunityId, user: ada };
  const run = stream(members);
  run({ type: 'JoinCommunity', data: { ...about, via: 'founding', joining: 1 } });
  const by = { user: ada, owner: true, permissions: allPermissions, rank: Infinity };
  return (number, at) => {
    // Who leaves and comes back goes on where they were.
    if (number === 5) run({ type: 'LeaveCommunity', data: { ...about, owner: false } });
    if (number === 5) run({ type: 'JoinCommunity', data: { ...about, via: 'invite', invite: 'x', joining: 2 } });
    const roles: readonly RoleId[] = [];
    const data = { ...about, by, rank: -1, at, communityRoles: [], roles, nickname: `n${number.toString()}` };
    return run({ type: 'EditMember', data });
  };
};
const town = () => stream(communities, [...begun, created(random, 1)].map(asPersonal));
const editChannel =
  (run = town(), channel: ChannelId = general): Edit =>
  (number, at) =>
    run(edit(channel, { at, position: number % 2 === 0 ? 1 : 0, slowmodeSeconds: number }));

const togglePreviews = (): Edit => {
  const about = { message, chat: selfChat(ada), author: ada };
  const run = stream(previews);
  const preview = { url: 'https://a.example/', title: 'A page' };
  return (number, at) => {
    // What is found meanwhile costs nothing and forgets nothing, and neither does an edit of the words.
    run({ type: 'ShowPreview', data: { ...about, revision: number, preview } });
    run({ type: 'OutdatePreview', data: { ...about, revision: number + 1 } });
    const isSuppressing = number % 2 === 1;
    if (number % 5 === 0) {
      run({ type: isSuppressing ? 'SuppressPreviews' : 'AllowPreviews', data: { ...about, sentSuppressed: false } });
      run({ type: isSuppressing ? 'AllowPreviews' : 'SuppressPreviews', data: { ...about, sentSuppressed: false } });
    }
    const data = { ...about, sentSuppressed: false, at };
    return run({ type: isSuppressing ? 'SuppressPreviews' : 'AllowPreviews', data });
  };
};

const things = {
  message: editMessage,
  previews: togglePreviews,
  profile: editProfile,
  nickname: editNickname,
  channel: editChannel,
};

describe('edits', () => {
  for (const [what, begin] of Object.entries(things)) {
    it(`of one ${what} are 30 at once, then one per 10 s`, () => {
      const run = begin();
      const at = (seconds: number): Millis => (start + seconds * 1000) as Millis;
      for (let number = 1; number <= editsAtOnceMax; number += 1) assert.ok(Number(run(number, at(0))) > 0);
      assert.deepEqual(run(31, at(0)), tooEarly);
      assert.ok(Number(run(31, at(10))) > 0);
      assert.deepEqual(run(32, at(10)), tooEarly);
    });
  }

  it('of a bot that edits one message every 10 s for a day are never refused', () => {
    const run = editMessage();
    for (let number = 1; number <= 8_640; number += 1) {
      assert.equal(run(number, (start + number * editPauseMillis) as Millis), 1);
    }
  });

  it('count for each channel by itself', () => {
    const run = town();
    const [one, other] = [editChannel(run), editChannel(run, random)];
    for (let number = 1; number <= editsAtOnceMax; number += 1) one(number, start as Millis);
    assert.deepEqual(one(31, start as Millis), tooEarly);
    assert.ok(Number(other(1, start as Millis)) > 0);
  });

  it('that change nothing are free', () => {
    const run = editMessage();
    run(1, start as Millis);
    for (let again = 0; again < 100; again += 1) assert.equal(run(1, start as Millis), 0);
    assert.equal(run(2, start as Millis), 1);
  });
});
