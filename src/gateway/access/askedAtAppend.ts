import type { CommunityAsker } from '../../domain/communities/commands.js';
import { communities } from '../../domain/communities/decide.js';
import type { ChannelRef } from '../../gen/refs.js';
import { isRejection, type Command, type Rejection } from '../../kernel/decider.js';
import type { Asked } from '../../kernel/execute.js';
import type { Position } from '../../kernel/event.js';
import type { CommunityId, UserId } from '../../kernel/ids.js';
import type { Call } from '../contract/call.js';
import { costs } from '../contract/meter.js';
import type { Access, ViewerPermissions } from '../contract/viewerPermissions.js';
import { channelAsker, memberAsker } from './memberAccess.js';

/**
 * The same command, with rights that are as new as the log was when it was last decided anew: it looks again whenever the
 * command is asked for on another event, as it is once it had to wait, read or try again. For events that nobody judges at
 * their place in the log: all that other nodes did before counts, and only changes that are handed to the log within the
 * same milliseconds do not. Of several commands at once, which name no event, it looks once, before they wait for their turn.
 */
export const asOfEnd = <C extends Command | readonly Command[]>(
  call: Pick<Call, 'rightsAsOf'>,
  asked: Asked<C>,
): Asked<C> => {
  let lookedOn: Position | undefined;
  return (decidedOn) => {
    const waiting = lookedOn === decidedOn ? undefined : call.rightsAsOf('end');
    lookedOn = decidedOn;
    return waiting ?? asked(decidedOn);
  };
};

/**
 * Commands that are made anew with the rights of the tick in which their append is handed to the log. All that this node
 * has handed in before counts, so on one node there is no moment in which a right that is gone can still be used.
 */
export type AskedBy = <C extends Command>(
  make: (by: CommunityAsker, permissions: ViewerPermissions) => C | Rejection,
) => Asked<C>;

/** `others` are users on whom the command depends as well. */
export const askedByMember = (
  access: Access,
  call: Call,
  community: CommunityId,
  others: readonly UserId[] = [],
): AskedBy => {
  const { user } = call.caller;
  const users = [user, ...others];
  return askedBy({ access, call, community, users }, () => memberAsker(access.now, community, user));
};

export const askedInChannel = (access: Access, call: Call, ref: ChannelRef): AskedBy => {
  const { user } = call.caller;
  return askedBy({ access, call, community: ref.communityId, users: [user] }, () =>
    channelAsker(access.now, ref, user),
  );
};

type Asking = {
  readonly access: Access;
  readonly call: Pick<Call, 'meter' | 'rightsAsOf'>;
  readonly community: CommunityId;
  readonly users: readonly UserId[];
};

const askedBy =
  ({ access, call, community, users }: Asking, asker: () => CommunityAsker | Rejection): AskedBy =>
  (make) =>
    asOfEnd(call, (decidedOn) => {
      // Changes by another node to the stream of the community count as far as the command is decided on it.
      const waiting = call.rightsAsOf(decidedOn) ?? access.upToAppends(community, users);
      if (waiting !== undefined) return waiting;
      const by = asker();
      const command = isRejection(by) ? by : make(by, access.now);
      if (isRejection(command) || !changesCommunity(command)) return command;
      const channels = access.now.community(community)?.channels.length ?? 0;
      call.meter.spend((costs.hundredChannelsChanged * channels) / 100);
      return command;
    });

/** Its events are folded into the community. Those of its members, invites and stickers are not. */
const changesCommunity = ({ type }: Command): boolean => Object.hasOwn(communities.rules, type);
