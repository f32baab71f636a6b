import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Event } from '../../../src/kernel/event.js';
import { messageStream } from '../../../src/domain/messages/events.js';
import { channelChat } from '../../../src/kernel/chat.js';
import type { ChannelId, MessageId, RoleId } from '../../../src/kernel/ids.js';
import { permission } from '../../../src/kernel/permissions.js';
import type { EventLog } from '../../../src/kernel/ports/eventLog.js';
import { ada, bob, cleo, community, general } from '../../support/house/cast.js';
import { house, type House } from '../../support/house/house.js';
import type { Node } from '../../support/house/node.js';

const role = 900n as RoleId;
const lower = 901n as RoleId;
const structure = `community-${community.toString()}`;
const memberOf = (user: bigint): string => `member-${community.toString()}.${user.toString()}`;
const all = permission.modifyRoles | permission.modifyChannel | permission.pinMessages | permission.deleteMessages;

const content = { community, name: 'Stokers', color: 0, separated: false, public: false };
const roleSet = (type: 'RoleCreated' | 'RoleEdited', permissions: bigint): Event => ({
  type,
  data: { ...content, role, permissions, priority: 10, by: ada },
});
const rolesOf = (user: typeof bob, ...roles: readonly RoleId[]): Event => ({
  type: 'RolesSet',
  data: { community, user, roles, by: ada },
});

let here: House;
let node: Node;
/** Happens once, between the decision of a command and the moment in which the log takes its events. */
let onTheWay: (() => Promise<void>) | undefined;
before(async () => {
  here = await house();
  const append: EventLog['append'] = async (...events) => {
    const happening = onTheWay;
    onTheWay = undefined;
    await happening?.();
    return here.log.append(...events);
  };
  node = await here.node({ judges: true, log: { ...here.log, append } });
  await here.happened(structure, roleSet('RoleCreated', all), {
    type: 'RoleCreated',
    data: { ...content, role: lower, permissions: 0n, priority: 1, by: ada },
  });
});
after(() => here.close());
beforeEach(async () => {
  onTheWay = undefined;
  await here.happened(structure, roleSet('RoleEdited', all));
  await here.happened(memberOf(bob), rolesOf(bob, role));
});

const made = { name: 'Drivers', permissions: 0n, priority: 2, color: 0, separated: false, public: false };
const ref = { communityId: community, channelId: 101n as ChannelId };

/** What takes a right, and what another node may do just before. */
const requests: Readonly<Record<string, () => Promise<unknown>>> = {
  'a new role': () => node.ask(bob, 'communitiesCreateRole', { communityId: community, ...made }),
  'a role that is given': () =>
    node.ask(bob, 'communitiesEditMember', { communityId: community, memberId: cleo, roleIds: { roleIds: [lower] } }),
  'a channel that is deleted': () => node.ask(bob, 'communitiesDeleteChannel', { channel: ref }),
  'an override': () =>
    node.ask(bob, 'communitiesCreateChannelOverride', {
      communityId: community,
      channelId: ref.channelId,
      roleId: lower,
      permissions: { pos: 0n, neg: permission.sendMessages },
    }),
};

describe('on a node that knows nothing yet of what another one wrote', () => {
  for (const [what, ask] of Object.entries(requests)) {
    it(`${what} is refused when the role has lost the right`, async () => {
      await here.unnoticed(structure, roleSet('RoleEdited', 0n));
      assert.deepEqual(await ask(), { rejected: 'MISSING_PERMISSION' });
    });
    it(`${what} is refused when the member has lost the role`, async () => {
      await here.unnoticed(memberOf(bob), rolesOf(bob));
      assert.deepEqual(await ask(), { rejected: 'MISSING_PERMISSION' });
    });
  }

  it('a pin is refused, and the deletion of what another one wrote', async () => {
    const messageId = await node.send(cleo, { chatRef: general, message: 'hello' });
    const asks = [
      () => node.ask(bob, 'messagesSetMessagePin', { chatRef: general, messageId, pin: true }),
      () => node.ask(bob, 'messagesDeleteMessage', { chatRef: general, messageIds: [messageId] }),
    ];
    const answers: unknown[] = [];
    for (const ask of asks) {
      await here.happened(memberOf(bob), rolesOf(bob, role));
      await here.unnoticed(memberOf(bob), rolesOf(bob));
      answers.push(await ask());
    }
    assert.deepEqual(
      answers.map((answer) => (answer as { rejected?: string }).rejected !== undefined),
      [true, true],
    );
  });

  it('the deletion of the announcement about oneself is refused', async () => {
    const messageId = 4_711n as MessageId;
    const data = { message: messageId, chat: channelChat(community, ref.channelId), author: bob, announces: 'joined' };
    await here.happened(messageStream(messageId), { type: 'MemberAnnounced', data });
    await here.unnoticed(memberOf(bob), rolesOf(bob));
    const answer = await node.ask(bob, 'messagesDeleteMessage', { chatRef: general, messageIds: [messageId] });
    assert.deepEqual(answer, { rejected: 'MISSING_PERMISSION' });
  });
});

describe('what is decided on the stream of the community', () => {
  for (const [what, ask] of Object.entries(requests)) {
    if (what === 'a role that is given') continue;
    it(`has no moment in which a right that is gone there still counts: ${what}`, async () => {
      onTheWay = () => here.unnoticed(structure, roleSet('RoleEdited', 0n));
      assert.deepEqual(await ask(), { rejected: 'MISSING_PERMISSION' });
    });
  }
});
