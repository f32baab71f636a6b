import { difference } from '../../../kernel/permissions.js';
import type { ChannelId, CommunityId, UserId } from '../../../kernel/ids.js';
import type { ChannelRecord } from '../../../projections/communities/documents.js';
import { channelRefFor } from '../../rendering/channel.js';
import { channelFor } from '../../rendering/channel.js';
import type { Delivery } from '../../contract/updates.js';
import type { ViewerPermissions } from '../../contract/viewerPermissions.js';
import type { UpdateView } from '../../contract/updateView.js';
import { channelIn } from '../../access/memberAccess.js';
import { alike } from './perRecipient.js';

/** Who is looked at, and where. */
export type Scope = {
  readonly community: CommunityId;
  readonly users: Iterable<UserId>;
  readonly channels: readonly ChannelId[];
};

/**
 * What an event did to what these members see of these channels: the channel to those who have come to see it, its
 * permissions to those for whom they are others than before, and its end to those who see it no longer.
 */
export const visibilityDeliveries = (view: UpdateView, scope: Scope): readonly Delivery[] => {
  const { shown, permitted, hidden } = changesOf(view, scope);
  return [
    ...[...shown.values()].map(({ channel, audience }) => channelDelivery(scope.community, channel, audience)),
    ...[...permitted.values()].map(({ channel, audience, pos, neg }) => ({
      audience,
      update: {
        conversationPermissions: {
          chatRef: { channel: channelRefFor(scope.community, channel.id) },
          permissions: { pos, neg },
        },
      },
    })),
    ...[...hidden].map(([channel, audience]) => ({
      audience,
      update: { channelDeleted: { channel: channelRefFor(scope.community, channel) } },
    })),
  ];
};

export const channelDelivery = (
  community: CommunityId,
  channel: ChannelRecord,
  audience: Iterable<UserId>,
): Delivery => ({
  audience,
  update: { channel: { channel: channelFor(community, channel) } },
});

/** All channels that there were or are. */
export const allChannels = ({ before, after }: UpdateView, community: CommunityId): readonly ChannelId[] => {
  const both = [before, after].flatMap((rules) => rules.community(community)?.channels ?? []);
  return [...new Set(both.map(({ id }) => id))];
};

type Part = { readonly channel: ChannelRecord; readonly audience: UserId[] };
type Permitted = Part & { readonly pos: bigint; readonly neg: bigint };
/** Kept apart by kind, so that everybody hears of a channel before they hear what they may do in it. */
type Changes = {
  readonly shown: Map<ChannelId, Part>;
  readonly permitted: Map<string, Permitted>;
  readonly hidden: Map<ChannelId, UserId[]>;
};

const changesOf = (view: UpdateView, { community, users, channels }: Scope): Changes => {
  const changes: Changes = { shown: new Map(), permitted: new Map(), hidden: new Map() };
  const records = new Map(channels.map((id) => [id, channelIn(view.after, community, id)]));
  for (const group of alike(view, community, users)) {
    for (const [id, channel] of records) {
      const was = sightOf(view.before, { community, channel: id, user: group[0] });
      const is = sightOf(view.after, { community, channel: id, user: group[0] });
      if (channel === undefined || !is.sees) {
        if (was.sees) joined(changes.hidden.get(id), group, (audience) => changes.hidden.set(id, audience));
        continue;
      }
      if (!was.sees) showTo(changes, channel, group);
      // A category is no conversation, so there are no permissions to tell of one.
      if (channel.kind !== 'category' && (was.pos !== is.pos || was.neg !== is.neg))
        permit(changes, channel, is, group);
    }
  }
  return changes;
};

type Sight = { readonly sees: boolean; readonly pos: bigint; readonly neg: bigint };
type Place = { readonly community: CommunityId; readonly channel: ChannelId; readonly user: UserId };

const unseen: Sight = { sees: false, pos: 0n, neg: 0n };
const sightOf = (rules: ViewerPermissions, { community, channel, user }: Place): Sight => {
  const effective = rules.inChannel(community, channel, user);
  const member = rules.member(community, user);
  return effective === 0n || member === undefined
    ? unseen
    : { sees: true, ...difference(member.permissions, effective) };
};

const showTo = ({ shown }: Changes, channel: ChannelRecord, group: readonly UserId[]): void => {
  joined(shown.get(channel.id)?.audience, group, (audience) => shown.set(channel.id, { channel, audience }));
};

const permit = (
  { permitted }: Changes,
  channel: ChannelRecord,
  { pos, neg }: Sight,
  group: readonly UserId[],
): void => {
  const key = `${channel.id.toString()}.${pos.toString()}.${neg.toString()}`;
  joined(permitted.get(key)?.audience, group, (audience) => permitted.set(key, { channel, audience, pos, neg }));
};

/** Adds the group to the audience that hears the same already, or begins one with it. */
const joined = (
  audience: UserId[] | undefined,
  group: readonly UserId[],
  begin: (audience: UserId[]) => unknown,
): void => {
  if (audience === undefined) begin([...group]);
  else audience.push(...group);
};
