import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memberStream } from '../../../../src/domain/members/events.js';
import { invitesMax } from '../../../../src/gateway/packages/invites/alive.js';
import { membershipsMax } from '../../../../src/gateway/packages/communities/membershipsLimit.js';
import { InviteType } from '../../../../src/gen/auth.js';
import { UserStatusStatus } from '../../../../src/gen/types.js';
import { channelChat } from '../../../../src/kernel/chat.js';
import { isRejection } from '../../../../src/kernel/decider.js';
import type { Event } from '../../../../src/kernel/event.js';
import type { RoleId, UserId } from '../../../../src/kernel/ids.js';
import { permission, usualPermissions } from '../../../../src/kernel/permissions.js';
import { dora } from '../../../support/house/cast.js';
import { channelNamed, inviteTo, settledTown, type SettledTown } from '../../../support/house/town.js';

const here = ({ community: communityId, general: channelId }: SettledTown) => ({ communityId, channelId });

/** What a former release wrote. */
const formerInvite = async (town: SettledTown, creator: UserId): Promise<string> => {
  const code = '0123456789ab';
  const made = { code, chat: channelChat(town.community, town.general), creator, maxUses: 2 };
  await town.unnoticed(`invite-${code}`, { type: 'InviteCreated', data: made });
  return code;
};

describe('CreateChatInvite', () => {
  it('gives a code to any member who sees the channel', async () => {
    const town = await settledTown();
    const codes = [await inviteTo(town, town.bob, here(town)), await inviteTo(town, town.bob, here(town))];
    for (const code of codes) assert.match(code, /^[0-9a-hjkmnp-tv-z]{12}$/);
    assert.notEqual(codes[0], codes[1]);
  });
  it('leaves no code in the log', async () => {
    const town = await settledTown();
    const code = await inviteTo(town, town.bob, here(town), { maxUses: 1 });
    await town.must(town.cleo, 'authUseInvite', { code });
    const events = await town.log.readAll({ limit: 1_000 });
    const written = events.map(({ stream, data, metadata }) => [stream, ...[data, metadata].map(String)].join(' '));
    assert.deepEqual(
      written.filter((text) => text.includes(code)),
      [],
    );
  });
  it('makes so many invites for one member, of which the dead do not count', async () => {
    const town = await settledTown();
    await town.must(town.ada, 'communitiesCreateChannel', {
      communityId: town.community,
      name: 'short-lived',
      type: 0,
    });
    const soon = { ...here(town), channelId: await channelNamed(town, town.ada, 'short-lived') };
    await inviteTo(town, town.bob, soon);
    for (let made = 1; made < invitesMax; made += 1) await inviteTo(town, town.bob, here(town));
    const another = { chatRef: { channel: here(town) } };
    assert.equal(await town.refused(town.bob, 'chatsCreateChatInvite', another), 'TOO_MANY');
    await town.must(town.ada, 'chatsCreateChatInvite', another);
    await town.must(town.ada, 'communitiesDeleteChannel', { channel: soon });
    await inviteTo(town, town.bob, here(town));
    assert.equal(await town.refused(town.bob, 'chatsCreateChatInvite', another), 'TOO_MANY');
  });
  it('is refused to who does not see the channel', async () => {
    const town = await settledTown();
    const request = { chatRef: { channel: here(town) } };
    assert.equal(await town.refused(town.cleo, 'chatsCreateChatInvite', request), 'COMMUNITY_NOT_FOUND');
    const everybody = { ...here(town), roleId: 0n as RoleId };
    const hidden = { ...everybody, permissions: { pos: 0n, neg: permission.viewChannel } };
    await town.must(town.ada, 'communitiesCreateChannelOverride', hidden);
    assert.equal(await town.refused(town.bob, 'chatsCreateChatInvite', request), 'CHANNEL_NOT_FOUND');
  });
  it('knows no other places yet', async () => {
    const { refused, bob } = await settledTown();
    const into = (chatRef: object) => refused(bob, 'chatsCreateChatInvite', { chatRef });
    assert.equal(await into({ self: {} }), 'NOT_IMPLEMENTED');
    assert.equal(await into({ user: { userId: 5n } }), 'NOT_IMPLEMENTED');
    assert.equal(await into({ group: { groupId: 5n } }), 'NOT_IMPLEMENTED');
    assert.equal(await into({}), 'INVALID_ARGUMENT');
  });
  it('takes the time of expiry in seconds or milliseconds, and 0 as none', async () => {
    const town = await settledTown();
    const later = town.clock.at + 60_000;
    for (const expiresAt of [BigInt(later), BigInt(later / 1000)]) {
      const code = await inviteTo(town, town.ada, here(town), { expiresAt });
      const { invitePreview } = await town.must(town.cleo, 'authLookupInvite', { code });
      assert.equal(invitePreview.expiresAt, BigInt(later));
    }
    const code = await inviteTo(town, town.ada, here(town), { expiresAt: 0n, maxUses: 0 });
    const { invitePreview } = await town.must(town.cleo, 'authLookupInvite', { code });
    assert.equal(invitePreview.expiresAt, undefined);
    const past = { chatRef: { channel: here(town) }, expiresAt: 1000n };
    assert.equal(await town.refused(town.ada, 'chatsCreateChatInvite', past), 'INVALID_ARGUMENT');
    const never = { ...past, expiresAt: 2n ** 64n - 1n };
    assert.equal(await town.refused(town.ada, 'chatsCreateChatInvite', never), 'INVALID_ARGUMENT');
  });
});

describe('LookupInvite', () => {
  it('shows the community to who is not even signed in', async () => {
    const { ask, ada, community, code } = await settledTown();
    const answer = await ask(undefined, 'authLookupInvite', { code });
    assert.ok(!isRejection(answer));
    const { creator, community: shown, ...preview } = answer.invitePreview;
    assert.deepEqual(preview, {
      code,
      creatorId: ada,
      targetId: community,
      targetType: InviteType.COMMUNITY,
    });
    assert.deepEqual([creator?.name, creator?.status], ['Ada', undefined]);
    assert.deepEqual([shown?.name, shown?.owner, shown?.permissions], ['Chess', false, 0n]);
  });
  it('shows it to a member as it is to them', async () => {
    const { must, bob, code } = await settledTown();
    const { invitePreview } = await must(bob, 'authLookupInvite', { code });
    assert.equal(invitePreview.community?.permissions, usualPermissions);
  });
  it('shows it as a member also to who has only just become one', async () => {
    const { hold, askOnly, must, cleo, code } = await settledTown();
    hold();
    assert.ok(!isRejection(await askOnly(cleo, 'authUseInvite', { code })));
    const { invitePreview } = await must(cleo, 'authLookupInvite', { code });
    assert.equal(invitePreview.community?.permissions, usualPermissions);
  });
  it('is closed to who has just taken the last use', async () => {
    const town = await settledTown();
    const code = await inviteTo(town, town.ada, here(town), { maxUses: 1 });
    await town.must(town.cleo, 'authLookupInvite', { code });
    town.hold();
    assert.ok(!isRejection(await town.askOnly(town.cleo, 'authUseInvite', { code })));
    assert.equal(await town.refused(town.cleo, 'authLookupInvite', { code }), 'INVITE_NOT_FOUND');
  });
  it('knows no code that is none, is used up or has expired', async () => {
    const town = await settledTown();
    const refused = (code: string) => town.refused(town.cleo, 'authLookupInvite', { code });
    const once = await inviteTo(town, town.ada, here(town), { maxUses: 1 });
    const soon = await inviteTo(town, town.ada, here(town), { expiresAt: BigInt(town.clock.at + 1000) });
    await town.must(town.cleo, 'authUseInvite', { code: once });
    town.clock.at += 1000;
    for (const code of ['', 'x'.repeat(100_000), '000000000000', once, soon]) {
      assert.equal(await refused(code), 'INVITE_NOT_FOUND');
    }
  });
});

describe('an invite', () => {
  const refusals = async (town: SettledTown, code: string): Promise<readonly unknown[]> => [
    await town.refused(dora, 'authLookupInvite', { code }),
    await town.refused(dora, 'authUseInvite', { code }),
  ];
  const dead = ['INVITE_NOT_FOUND', 'INVITE_NOT_FOUND'];
  const streamOf = ({ community, bob }: SettledTown): string => memberStream(community, bob);
  const removed = ({ community, bob, ada }: SettledTown): Event => ({
    type: 'MemberRemoved',
    data: { community, user: bob, by: ada },
  });
  const back = ({ community, bob }: SettledTown, joining: number): Event => ({
    type: 'MemberJoined',
    data: { community, user: bob, via: 'invite', invite: 'another', joining },
  });

  it('ends with its channel, also where the read models do not know it yet', async () => {
    const town = await settledTown();
    const { community, general: channel, ada: by } = town;
    const codes = [await inviteTo(town, town.bob, here(town)), await formerInvite(town, town.bob)];
    await town.unnoticed(`community-${community.toString()}`, {
      type: 'ChannelDeleted',
      data: { community, channel, by },
    });
    for (const code of codes) assert.deepEqual(await refusals(town, code), dead);
  });
  it('ends for good when its creator is removed', async () => {
    const town = await settledTown();
    const codes = [await inviteTo(town, town.bob, here(town)), await formerInvite(town, town.bob)];
    await town.unnoticed(streamOf(town), removed(town));
    for (const code of codes) assert.deepEqual(await refusals(town, code), dead);
    await town.unnoticed(streamOf(town), back(town, 2));
    for (const code of codes) assert.deepEqual(await refusals(town, code), dead);
    await town.must(town.cleo, 'authUseInvite', { code: await inviteTo(town, town.bob, here(town)) });
  });
  it('stays when its creator leaves, and ends when they are removed after they came back', async () => {
    const town = await settledTown();
    const code = await inviteTo(town, town.bob, here(town));
    await town.must(town.bob, 'communitiesLeaveCommunity', { communityId: town.community });
    await town.must(town.cleo, 'authLookupInvite', { code });
    await town.must(town.cleo, 'authUseInvite', { code });
    for (const event of [back(town, 2), removed(town)]) await town.unnoticed(streamOf(town), event);
    assert.deepEqual(await refusals(town, code), dead);
  });
  it('of a former release lives when its creator was removed before they made it, and ends when that was after', async () => {
    const town = await settledTown();
    for (const event of [removed(town), back(town, 2)]) await town.unnoticed(streamOf(town), event);
    const code = await formerInvite(town, town.bob);
    await town.must(town.cleo, 'authLookupInvite', { code });
    await town.must(town.cleo, 'authUseInvite', { code });
    await town.unnoticed(streamOf(town), { type: 'MemberLeft', data: { community: town.community, user: town.bob } });
    await town.must(dora, 'authLookupInvite', { code });
    for (const event of [back(town, 3), removed(town), back(town, 4)]) await town.unnoticed(streamOf(town), event);
    assert.deepEqual(await refusals(town, code), dead);
  });
  it('of a former release is good for its uses', async () => {
    const town = await settledTown();
    const code = await formerInvite(town, town.bob);
    const { invitePreview } = await town.must(town.cleo, 'authLookupInvite', { code });
    assert.equal(invitePreview.code, code);
    await town.must(town.cleo, 'authUseInvite', { code });
    await town.must(await town.person('Edna'), 'authUseInvite', { code });
    assert.deepEqual(await refusals(town, code), dead);
  });
});

describe('a code', () => {
  it('may be typed in upper case, in full width or with blanks around it', async () => {
    const { must, cleo, code } = await settledTown();
    const wide = Array.from(code, (character) => String.fromCharCode(character.charCodeAt(0) + 0xfee0)).join('');
    for (const typed of [code.toUpperCase(), wide, ` ${code}\n`]) {
      const { invitePreview } = await must(cleo, 'authLookupInvite', { code: typed });
      assert.equal(invitePreview.code, code);
    }
    await must(cleo, 'authUseInvite', { code: code.toUpperCase() });
  });
});

describe('UseInvite', () => {
  it('tells the joiner of the community and its channels, and everybody of the joiner', async () => {
    const town = await settledTown();
    const { ada, cleo, community: communityId, code } = town;
    await town.must(cleo, 'authUseInvite', { code });
    const [first, second, third, ...rest] = town.heard(cleo);
    assert.equal(first?.community?.community?.permissions, usualPermissions);
    assert.equal(second?.channel?.channel?.name, 'general');
    assert.deepEqual([third], town.heard(ada));
    assert.deepEqual(rest, []);
    const created = third?.communityMemberCreated;
    assert.deepEqual(created?.member, { id: cleo, communityId, roleIds: [] });
    assert.equal(created.user?.name, 'Cleo');
    assert.equal(created.user.status?.status, UserStatusStatus.ONLINE);
  });
  it('again changes nothing and takes no use', async () => {
    const town = await settledTown();
    const code = await inviteTo(town, town.ada, here(town), { maxUses: 2 });
    await town.must(town.cleo, 'authUseInvite', { code });
    town.heard(town.cleo);
    await town.must(town.cleo, 'authUseInvite', { code });
    await town.must(town.bob, 'authUseInvite', { code });
    assert.deepEqual(town.heard(town.cleo), []);
    const dora = await town.person('Dora');
    await town.must(dora, 'authUseInvite', { code });
    const edna = await town.person('Edna');
    assert.equal(await town.refused(edna, 'authUseInvite', { code }), 'INVITE_NOT_FOUND');
  });
  it('brings back who has left, for another use', async () => {
    const town = await settledTown();
    const { cleo, community: communityId } = town;
    const code = await inviteTo(town, town.ada, here(town), { maxUses: 2 });
    for (let round = 0; round < 2; round += 1) {
      await town.must(cleo, 'authUseInvite', { code });
      await town.must(cleo, 'communitiesLeaveCommunity', { communityId });
    }
    assert.equal(await town.refused(cleo, 'authUseInvite', { code }), 'INVITE_NOT_FOUND');
  });
  it('into a community that was deleted is refused, also where the read models do not know it yet', async () => {
    const town = await settledTown();
    const code = await inviteTo(town, town.ada, here(town), { maxUses: 1 });
    const { community } = town;
    const deleted = { type: 'CommunityDeleted', data: { community, by: town.ada } };
    await town.unnoticed(`community-${community.toString()}`, deleted);
    assert.equal(await town.refused(town.cleo, 'authUseInvite', { code }), 'INVITE_NOT_FOUND');
  });
  it('lets nobody into more communities than they may be in, also right after the last one', async () => {
    const town = await settledTown();
    const { cleo, code } = town;
    for (let index = 1; index < membershipsMax; index += 1) {
      await town.must(cleo, 'communitiesCreateCommunity', { name: index.toString() });
    }
    town.hold();
    assert.ok(!isRejection(await town.askOnly(cleo, 'communitiesCreateCommunity', { name: 'the last one' })));
    assert.equal(await town.refused(cleo, 'authUseInvite', { code }), 'TOO_MANY');
  });
  it('lets no more in than it has uses, however many ask at once', async () => {
    const town = await settledTown();
    const code = await inviteTo(town, town.ada, here(town), { maxUses: 3 });
    const crowd: UserId[] = [];
    for (let index = 0; index < 8; index += 1) crowd.push(await town.person(`number ${index.toString()}`));
    const answers = await Promise.all(crowd.map((user) => town.ask(user, 'authUseInvite', { code })));
    assert.equal(answers.filter((answer) => !isRejection(answer)).length, 3);
    const isMember = (user: UserId) => town.rules.member(town.community, user) !== undefined;
    assert.equal(crowd.filter(isMember).length, 3);
  });
});
