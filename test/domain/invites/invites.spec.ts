import { describe, it } from 'node:test';
import type { InviteCommand } from '../../../src/domain/invites/commands.js';
import { inviteUsesMax, invites } from '../../../src/domain/invites/decide.js';
import type { InviteEvent } from '../../../src/domain/invites/events.js';
import { channelChat } from '../../../src/kernel/chat.js';
import type { ChannelId, CommunityId, Millis, UserId } from '../../../src/kernel/ids.js';
import type { Bare } from '../../support/bare.js';
import { givenFor } from '../../support/given.js';

const given = givenFor(invites);
const chat = channelChat(100n as CommunityId, 201n as ChannelId);
const ada = 1n as UserId;
const bob = 2n as UserId;
const cleo = 3n as UserId;
const invite = 'the hash of abc';
const code = 'abc';
const millis = (at: number): Millis => at as Millis;

type Limits = { readonly expiresAt?: Millis; readonly maxUses?: number };
const made = (limits: Limits = {}): Bare<InviteEvent> => ({
  type: 'ChatInviteCreated',
  data: { invite, code, chat, creator: ada, creatorJoining: 2, ...limits },
});
const used = (user: UserId, joining = 1): Bare<InviteEvent> => ({
  type: 'InviteUsed',
  data: { code: invite, chat, user, joining },
});
const make = (limits: Limits = {}): InviteCommand => ({
  type: 'CreateChatInvite',
  data: { invite, code, chat, creator: ada, creatorJoining: 2, at: millis(1000), ...limits },
});
const use = (user: UserId, { joining = 1, at = 1000 } = {}): InviteCommand => ({
  type: 'UseInvite',
  data: { invite, user, joining, at: millis(at) },
});

describe('making an invite', () => {
  it('is a fact', () => {
    given().when(make()).then(made());
    given()
      .when(make({ expiresAt: millis(2000), maxUses: 3 }))
      .then(made({ expiresAt: millis(2000), maxUses: 3 }));
  });
  it('leaves a code with whom it belongs', () => {
    given(made()).when(make()).refuses('CONFLICT');
  });
  it('takes a time to come', () => {
    given()
      .when(make({ expiresAt: millis(1000) }))
      .refuses('INVALID_ARGUMENT');
  });
  it('takes a number of uses within bounds', () => {
    given()
      .when(make({ maxUses: 0 }))
      .refuses('INVALID_ARGUMENT');
    given()
      .when(make({ maxUses: inviteUsesMax + 1 }))
      .refuses('INVALID_ARGUMENT');
  });
});

describe('using an invite', () => {
  it('takes one use of a limited one, once', () => {
    given(made({ maxUses: 2 }))
      .when(use(bob))
      .thenOnce(used(bob));
  });
  it('is not counted when it is unlimited', () => {
    given(made()).when(use(bob)).then();
  });
  it('for another joining takes another use', () => {
    given(made({ maxUses: 2 }), used(bob))
      .when(use(bob, { joining: 2 }))
      .thenOnce(used(bob, 2));
  });
  it('is over when it is used up, except for those who are counted', () => {
    given(made({ maxUses: 1 }), used(bob))
      .when(use(cleo))
      .refuses('INVITE_NOT_FOUND');
    given(made({ maxUses: 1 }), used(bob))
      .when(use(bob))
      .then();
  });
  it('is over when it has expired, except for those who are counted', () => {
    const until = millis(2000);
    given(made({ expiresAt: until }))
      .when(use(bob, { at: 1999 }))
      .then();
    given(made({ expiresAt: until }))
      .when(use(bob, { at: 2000 }))
      .refuses('INVITE_NOT_FOUND');
    given(made({ expiresAt: until, maxUses: 2 }), used(bob))
      .when(use(bob, { at: 3000 }))
      .then();
  });
  it('needs an invite', () => {
    given().when(use(bob)).refuses('INVITE_NOT_FOUND');
  });
});
