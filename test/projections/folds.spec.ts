import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountEvent } from '../../src/domain/accounts/events.js';
import type { InviteEvent } from '../../src/domain/invites/events.js';
import type { MemberEvent } from '../../src/domain/members/events.js';
import type { MessageEvent } from '../../src/domain/messages/events.js';
import type { UserEvent } from '../../src/domain/users/events.js';
import { channelChat, directChat, selfChat, type ChatKey } from '../../src/kernel/chat.js';
import { forRunner } from '../../src/kernel/document.js';
import type { Recorded } from '../../src/kernel/event.js';
import { shredded } from '../../src/kernel/opened.js';
import {
  snowflakeOf,
  type ChannelId,
  type CommunityId,
  type FileId,
  type MessageId,
  type Millis,
  type RoleId,
  type SessionId,
  type UserId,
} from '../../src/kernel/ids.js';
import { sessionDocuments } from '../../src/projections/accounts/fold.js';
import {
  recentMessagesMax,
  sortIdOf,
  type ConversationDocument,
  mayHaveBegunWith,
} from '../../src/projections/conversations/documents.js';
import { conversationDocuments } from '../../src/projections/conversations/fold.js';
import { inviteDocuments } from '../../src/projections/invites/fold.js';
import { spansMax } from '../../src/kernel/span.js';
import { formerRolesMax, memberDocuments, membershipsDocuments } from '../../src/projections/members/fold.js';
import type { LastSentDocument } from '../../src/projections/messages/documents.js';
import { lastSentDocuments, messageCountDocuments, messageDocuments } from '../../src/projections/messages/fold.js';
import { readMarkerDocuments } from '../../src/projections/reads/fold.js';
import { userDocuments } from '../../src/projections/users/fold.js';
import { asPersonal, type Bare } from '../support/bare.js';
import { deleted, edited, sent } from './messaging.js';
import { folded, given, recordedAs } from './folded.js';
import { now } from './setting.js';

/** Of events that were recorded `now`, before moments were written. */
const moment = snowflakeOf({ at: now, node: 0, counter: 0 }) - 1n;
const ada = 1n as UserId;
const bob = 2n as UserId;

describe('a user', () => {
  const givenUser = given(userDocuments);
  const registered: Bare<UserEvent> = { type: 'UserRegistered', data: { user: ada, bot: false, name: 'Ada' } };

  it('has a name from the start', () => {
    givenUser(registered).then({ '1': { id: ada, bot: false, name: 'Ada' } });
  });

  it('is what was last changed of it', () => {
    givenUser(
      registered,
      { type: 'NameChanged', data: { user: ada, name: shredded } },
      { type: 'UsernameChanged', data: { user: ada, usernameKey: 'k', username: 'ada' } },
      { type: 'BioChanged', data: { user: ada, bio: 'Analyst' } },
      { type: 'IconChanged', data: { user: ada, icon: 5n as FileId } },
      { type: 'ColorChanged', data: { user: ada, color: 0xff0000 } },
    ).then({
      '1': {
        id: ada,
        bot: false,
        name: shredded,
        username: 'ada',
        bio: 'Analyst',
        icon: 5n as FileId,
        color: 0xff0000,
      },
    });
  });

  it('has no username and no icon once they are cleared', () => {
    givenUser(
      registered,
      { type: 'UsernameChanged', data: { user: ada, usernameKey: 'k', username: 'ada' } },
      { type: 'IconChanged', data: { user: ada, icon: 5n as FileId } },
      { type: 'UsernameCleared', data: { user: ada } },
      { type: 'IconCleared', data: { user: ada } },
    ).then({ '1': { id: ada, bot: false, name: 'Ada' } });
  });

  it('does not come to be by a change', () => {
    givenUser({ type: 'NameChanged', data: { user: ada, name: 'Ada' } }).then({});
  });
});

describe('a session', () => {
  const session = 7n as SessionId;
  const device = { deviceType: 'desktop', deviceVersion: '1', appVersion: '2' };
  const opened: Bare<AccountEvent> = {
    type: 'SessionOpened',
    data: { user: ada, session, tokenHash: 'ab', clientId: 3, ...device },
  };

  it('knows the device that it was last seen on', () => {
    given(sessionDocuments)({ type: 'AccountRegistered', data: { user: ada, hasPassword: true } }, opened, {
      type: 'SessionDeviceChanged',
      data: { user: ada, session, clientId: 4, ...device, deviceType: shredded },
    }).then({
      '7': {
        id: session,
        user: ada,
        tokenHash: 'ab',
        clientId: 4,
        ...device,
        deviceType: shredded,
        openedAt: now,
        usedOn: 0,
      },
    });
  });

  it('knows on which day it was noted to be in use', () => {
    const used = { type: 'SessionUsed', data: { user: ada, session, day: 40 } } as const;
    given(sessionDocuments)({ ...opened, data: { ...opened.data, day: 7 } }, used).then({
      '7': { id: session, user: ada, tokenHash: 'ab', clientId: 3, ...device, openedAt: now, usedOn: 40 },
    });
  });

  it('is gone when it is revoked', () => {
    given(sessionDocuments)(opened, { type: 'SessionRevoked', data: { user: ada, session } }).then({});
  });
});

describe('a member', () => {
  const chess = 100n as CommunityId;
  const go = 101n as CommunityId;
  const joined = (community: CommunityId): Bare<MemberEvent> => ({
    type: 'MemberJoined',
    data: { community, user: ada, via: 'founding', joining: 1 },
  });
  const about = { community: chess, user: ada };
  const named: Bare<MemberEvent> = { type: 'NicknameSet', data: { ...about, nickname: 'A', by: ada } };
  const ranked: Bare<MemberEvent> = { type: 'RolesSet', data: { ...about, roles: [9n as RoleId], by: ada } };
  const left: Bare<MemberEvent> = { type: 'MemberLeft', data: about };

  it('has a nickname and roles', () => {
    given(memberDocuments)(joined(chess), named, ranked).then({
      '100.1': { community: chess, user: ada, joinedAt: now, nickname: 'A', roles: [9n as RoleId] },
    });
  });

  it('that comes back is as new', () => {
    given(memberDocuments)(joined(chess), named, ranked, left, joined(chess)).then({
      '100.1': { community: chess, user: ada, joinedAt: now, roles: [] },
    });
  });

  it('remembers a bounded number of the roles that were taken', () => {
    const roles = Array.from({ length: formerRolesMax + 50 }, (_, index) => BigInt(index + 1) as RoleId);
    const all: Bare<MemberEvent> = { type: 'RolesSet', data: { ...about, roles, by: ada } };
    const none: Bare<MemberEvent> = { type: 'RolesSet', data: { ...about, roles: [], by: ada } };
    const document = folded(membershipsDocuments, joined(chess), all, none)['1'];
    const [membership] = document?.memberships ?? [];
    assert.equal(membership?.roleTimes?.length, formerRolesMax);
    assert.equal(membership.unsureUpTo, moment);
  });

  it('remembers a bounded number of times of each role, and in between which the others lie', () => {
    const turns = Array.from({ length: 2 * spansMax + 6 }, (_, turn): Bare<MemberEvent> => ({
      type: 'RolesSet',
      data: { ...about, roles: turn % 2 === 0 ? [9n as RoleId] : [], by: ada },
    }));
    const document = folded(membershipsDocuments, joined(chess), ...turns)['1'];
    const [time] = document?.memberships[0]?.roleTimes ?? [];
    assert.equal(time?.had.length, spansMax);
    assert.deepEqual(time.earlier, { from: moment, to: moment });
  });

  it('is in the communities that they joined, in that order', () => {
    given(membershipsDocuments)(joined(chess), joined(go), named, ranked).then({
      '1': {
        user: ada,
        memberships: [
          {
            community: chess,
            roles: [9n as RoleId],
            nickname: 'A',
            joined: moment,
            roleTimes: [{ role: 9n as RoleId, had: [{ from: moment }] }],
          },
          { community: go, roles: [], joined: moment },
        ],
      },
    });
  });

  it('loses the nickname', () => {
    const cleared: Bare<MemberEvent> = { type: 'NicknameCleared', data: { ...about, by: ada } };
    given(membershipsDocuments)(joined(chess), named, cleared).then({
      '1': { user: ada, memberships: [{ community: chess, roles: [], joined: moment }] },
    });
  });

  it('of nothing any more has no document', () => {
    given(membershipsDocuments)(joined(chess), left, left, named).then({});
  });
});

describe('an invite', () => {
  const chat = channelChat(100n as CommunityId, 201n as ChannelId);

  it('counts its uses', () => {
    const about = { code: 'abc', chat };
    const used = (user: UserId): Bare<InviteEvent> => ({
      type: 'InviteUsed',
      data: { ...about, user, joining: 1 },
    });
    given(inviteDocuments)(
      { type: 'InviteCreated', data: { ...about, creator: ada, maxUses: 5 } },
      used(ada),
      used(bob),
    ).then({
      abc: { ...about, name: 'abc', creator: ada, made: { position: 1n }, createdAt: now, maxUses: 5, uses: 2 },
    });
  });
  it('is named by its hash, and in no index once it is used up', () => {
    const created: Bare<InviteEvent> = {
      type: 'ChatInviteCreated',
      data: { invite: 'hash', code: 'abc', chat, creator: ada, creatorJoining: 2, maxUses: 1 },
    };
    const { hash } = folded(inviteDocuments, created);
    assert.ok(hash !== undefined);
    assert.deepEqual([hash.name, hash.code, hash.made], ['hash', 'abc', { joining: 2 }]);
    const { indexKeysOf } = forRunner(inviteDocuments);
    assert.equal(indexKeysOf(hash)['usable']?.length, 1);
    assert.deepEqual(indexKeysOf({ ...hash, uses: 1 })['usable'], []);
  });
});

describe('a message', () => {
  const chat = selfChat(ada);

  it('is as it was sent', () => {
    given(messageDocuments)(sent(10n, { chat, nonce: 3n, replyTo: 9n as MessageId })).then({
      '10': {
        id: 10n as MessageId,
        chat,
        author: ada,
        text: 'hello',
        entities: [],
        mentions: [],
        nonce: 3n,
        session: 7n as SessionId,
        replyTo: 9n as MessageId,
        sentAt: now,
      },
    });
  });

  it('says what it was last changed to', () => {
    const { '10': message } = folded(messageDocuments, sent(10n, { chat }), edited(10n, { chat, text: shredded }));
    assert.equal(message?.text, shredded);
    assert.equal(message.editedAt, now);
  });

  it('is gone when it is deleted, and is not brought back by an edit', () => {
    given(messageDocuments)(sent(10n, { chat }), deleted(10n, { chat }), edited(10n, { chat })).then({});
  });

  it('is counted on each level until it is deleted', () => {
    given(messageCountDocuments)(sent(10n, { chat }), sent(11n, { chat }), deleted(10n, { chat })).then({
      'self.1/0/000000': { messages: 1 },
      'self.1/1/000000': { messages: 1 },
      'self.1/2/000000': { messages: 1 },
    });
  });

  it('leaves no count of nothing, and none below it', () => {
    given(messageCountDocuments)(sent(10n, { chat }), deleted(10n, { chat }), deleted(10n, { chat })).then({});
  });
});

describe('the last message that a user sent in a chat', () => {
  const chat = selfChat(ada);
  const sentAt = (message: bigint, at: number, index: number): Recorded<MessageEvent> => ({
    ...recordedAs(asPersonal<MessageEvent>(sent(message as MessageId, { chat, author: ada })), index),
    at: at as Millis,
  });
  const after = (...events: readonly (readonly [message: bigint, at: number])[]): LastSentDocument | undefined => {
    const { fold, keysOf } = forRunner(lastSentDocuments);
    return events.reduce<LastSentDocument | undefined>((last, [message, at], index) => {
      const event = sentAt(message, at, index);
      // The type folds documents of its own kind.
      return fold(last, event, keysOf(event)[0] ?? '') as LastSentDocument;
    }, undefined);
  };

  it('is the newest by id, with the one before it', () => {
    assert.deepEqual(after([5n, 10]), { message: 5n, at: 10 });
    assert.deepEqual(after([5n, 10], [9n, 20]), { message: 9n, before: 5n, at: 20 });
  });

  it('stays where an older one comes later in the log, and the latest time counts whichever it is of', () => {
    assert.deepEqual(after([5n, 10], [9n, 20], [7n, 30]), { message: 9n, before: 5n, at: 30 });
    assert.deepEqual(after([5n, 10], [9n, 8]), { message: 9n, before: 5n, at: 10 });
    assert.deepEqual(after([9n, 10], [9n, 8]), { message: 9n, at: 10 });
  });
});

describe('a conversation', () => {
  const chat = directChat(bob, ada);
  const conversationAfter = (...events: readonly Bare<MessageEvent>[]): ConversationDocument | undefined =>
    folded(conversationDocuments, ...events)[chat];
  const ids = (from: bigint, count: number): readonly bigint[] =>
    Array.from({ length: count }, (_, index) => from + BigInt(index));

  it('begins with its first message', () => {
    given(conversationDocuments)(sent(10n, { chat })).then({
      [chat]: { chat, members: [ada, bob], begunBy: ada, recent: [10n as MessageId], floor: 10n as MessageId },
    });
  });

  it('says which message began it, also once that message is no longer among the recent ones', () => {
    const begunWith = (message: bigint, ...sentBefore: readonly bigint[]): boolean | undefined => {
      const after = conversationAfter(...[...sentBefore, message].map((id) => sent(id, { chat })));
      return after && mayHaveBegunWith(after, message as MessageId);
    };
    assert.equal(begunWith(10n), true);
    assert.equal(begunWith(11n, 10n), false);
    // Two nodes were a little apart, so the later message has the smaller id.
    assert.equal(begunWith(9n, 10n), false);
    const overflowed = conversationAfter(...ids(10n, 2 * recentMessagesMax).map((id) => sent(id, { chat })));
    assert.equal(overflowed && mayHaveBegunWith(overflowed, 10n as MessageId), true);
    assert.equal(overflowed && mayHaveBegunWith(overflowed, 73n as MessageId), false);
  });

  it('says with which message it was answered, and no other, also when that one is deleted', () => {
    const mine = [sent(10n, { chat }), sent(11n, { chat })];
    const answers = [sent(12n, { chat, author: bob }), sent(13n, { chat, author: bob })];
    const conversation = conversationAfter(...mine, ...answers, deleted(12n, { chat }), sent(14n, { chat }));
    assert.deepEqual([conversationAfter(...mine)?.answeredWith, conversation?.answeredWith], [undefined, 12n]);
  });

  it('is for direct chats and saved messages only', () => {
    const channel = channelChat(100n as CommunityId, 201n as ChannelId);
    given(conversationDocuments)(sent(10n, { chat: channel }), sent(11n, { chat: 'group.5' as ChatKey })).then({});
    assert.deepEqual(folded(conversationDocuments, sent(10n, { chat: selfChat(ada) }))['self.1']?.members, [ada]);
  });

  it('keeps its newest messages in order, and the highest of those that it dropped', () => {
    const all = ids(10n, recentMessagesMax + 3);
    const swapped = [...all.slice(0, -2), ...all.slice(-2).reverse()];
    const conversation = conversationAfter(...swapped.map((id) => sent(id, { chat })));
    assert.deepEqual(conversation?.recent, all.slice(3));
    assert.equal(conversation.floor, 12n);
  });

  it('goes back to the message before when the newest is deleted', () => {
    const conversation = conversationAfter(sent(10n, { chat }), sent(11n, { chat }), deleted(11n, { chat }));
    assert.equal(conversation && sortIdOf(conversation), 10n);
  });

  it('stays in its place when all that it remembers is deleted', () => {
    const all = ids(10n, recentMessagesMax + 1);
    const conversation = conversationAfter(
      ...all.map((id) => sent(id, { chat })),
      ...all.map((id) => deleted(id, { chat })),
    );
    assert.deepEqual(conversation?.recent, []);
    assert.equal(sortIdOf(conversation), 10n);
  });
});

describe('a read marker', () => {
  it('is where it was last moved to', () => {
    const chat = selfChat(ada);
    const moved = (message: bigint) =>
      ({ type: 'MarkerMoved', data: { user: ada, chat, message: message as MessageId } }) as const;
    given(readMarkerDocuments)(moved(10n), moved(12n)).then({ '1.self.1': { message: 12n as MessageId } });
  });
});
