import { channelIn } from '../../../domain/communities/channelTree.js';
import { communities } from '../../../domain/communities/decide.js';
import { communityStream } from '../../../domain/communities/events.js';
import { members } from '../../../domain/members/decide.js';
import { memberStream } from '../../../domain/members/events.js';
import { byKind, parseChatKey } from '../../../kernel/chat.js';
import { reject, type Rejection } from '../../../kernel/decider.js';
import type { FoldedStreams } from '../../../kernel/foldedStreams.js';
import type { Position } from '../../../kernel/event.js';
import type { ChannelId, CommunityId, UserId } from '../../../kernel/ids.js';
import type { InviteDocument } from '../../../projections/invites/documents.js';
import { usableInviteCount, usableInvites, type InvitesBy } from '../../../projections/invites/queries.js';
import { removal } from '../../../projections/members/queries.js';
import type { Reads } from '../../../projections/reading/queries.js';
import type { OpenCall } from '../../contract/call.js';

/** Invites of one user into one community that can be used. */
export const invitesMax = 100;
/** So many are looked at to find those that are dead, which nobody can take away yet. */
const invitesReadMax = 1_000;

type Needs = {
  readonly reads: Reads;
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
  readonly call: Pick<OpenCall, 'upToDateWithLog'>;
};

/** An invite, and where it leads. */
export type Place = {
  readonly invite: InviteDocument;
  readonly into: CommunityId;
  readonly channel: ChannelId;
};

/** Only the invites into communities are built. */
export const placeOfInvite = (invite: InviteDocument): Place | undefined =>
  byKind(parseChatKey(invite.chat), {
    channel: ({ community, channel }) => ({ invite, into: community, channel }),
    group: () => undefined,
    direct: () => undefined,
    self: () => undefined,
  });

/**
 * An invite ends with its channel, and for good when its creator was removed after they made it; one who left by
 * themselves leaves their invites. No event says that an invite ended: the streams are asked at each use, because the
 * read models may not know it yet.
 */
export const isAlive = async (needs: Needs, { invite, into, channel }: Place): Promise<boolean> => {
  const { streams } = needs;
  const [{ state: home }, { state: creator }] = await Promise.all([
    streams.caughtUp(communityStream(into), communities),
    streams.caughtUp(memberStream(into, invite.creator), members),
  ]);
  if (home.status !== 'living' || channelIn(home.channels, channel) === undefined) return false;
  if ('joining' in invite.made) return creator.removedIn < invite.made.joining;
  return creator.removedIn === 0 || !(await wasRemovedAfter(needs, invite.made.position, [into, invite.creator]));
};

/** The rules do not know when a removal was, and the read model may be behind them. */
const wasRemovedAfter = async (
  { reads, call }: Needs,
  made: Position,
  [community, user]: readonly [CommunityId, UserId],
): Promise<boolean> => {
  await call.upToDateWithLog('members');
  const last = await removal(reads, community, user);
  return last !== undefined && last.position > made;
};

/** Two requests at the same moment may go one beyond. */
export const refusedInvite = async (needs: Needs, by: InvitesBy): Promise<Rejection | undefined> => {
  if ((await usableInviteCount(needs.reads, by, invitesMax)) < invitesMax) return undefined;
  const found = await usableInvites(needs.reads, by, invitesReadMax);
  const alive = await Promise.all(
    found.map(async (invite) => {
      const place = placeOfInvite(invite);
      return place !== undefined && (await isAlive(needs, place));
    }),
  );
  if (found.length < invitesReadMax && alive.filter(Boolean).length < invitesMax) return undefined;
  return reject('TOO_MANY', `at most ${invitesMax.toString()} invites of one member into a community`);
};
