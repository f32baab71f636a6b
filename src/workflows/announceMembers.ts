import { communities } from '../domain/communities/decide.js';
import { communityStream } from '../domain/communities/events.js';
import type { MemberEvent } from '../domain/members/events.js';
import { messages } from '../domain/messages/decide.js';
import type { Announcement } from '../domain/messages/events.js';
import { boundedMap } from '../kernel/boundedMap.js';
import { channelChat } from '../kernel/chat.js';
import type { EventOf, Recorded } from '../kernel/event.js';
import type { FoldedStreams } from '../kernel/foldedStreams.js';
import type { CommunityId, MessageId, Millis } from '../kernel/ids.js';
import { momentOf } from '../kernel/moment.js';
import type { Clock } from '../kernel/ports/system.js';
import type { Run, Workflow } from './runner.js';

export type AnnounceMembersNeeds = {
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
  readonly clock: Pick<Clock, 'now'>;
};

/** Events that are older are passed over, so that a log that is read again posts nothing. */
export const announcedMillisMax = 60_000;
/** Of one user in one community, between two messages that say the same. */
export const announcedAgainMillisMin = 60_000;
/** Messages of one community at once, of which a further one may come each second. */
export const announcedBurstMax = 30;
/** Of each kind, those that are remembered. */
const announcedKeptMax = 10_000;

type Reacts = EventOf<MemberEvent, 'MemberJoined' | 'MemberLeft'>;

/**
 * Whenever somebody joined a community or left it of their own will, a message says so in the channel that its settings
 * name, if they want that. A removal is nobody else's business. The id of the message is the moment of the event, which
 * nothing else has for an id: so it stands where the event does, and is posted once, however often the event is read.
 * Coming and going costs a user little, and each message is stored for ever: beyond a bound nothing is said.
 */
export const announceMembers = ({ streams, clock }: AnnounceMembersNeeds): Workflow<Reacts> => {
  const hasRoom = announcedSoFar();
  const announce = async (event: Recorded<Reacts>, announces: Announcement, run: Run): Promise<void> => {
    if (clock.now() - event.at > announcedMillisMax) return;
    const { community, user: by } = event.data;
    const { state } = await streams.caughtUp(communityStream(community), communities);
    const wish = state.status === 'living' ? state.settings?.systemMessages : undefined;
    if (wish?.channel === undefined || !wish.wanted || event.at < wish.since) return;
    if (!hasRoom(event, announces)) return;
    const message = momentOf(event) as MessageId;
    const data = { message, chat: channelChat(community, wish.channel), by, announces };
    await run(messages, { type: 'AnnounceMember', data }, `announced.${event.id}`);
  };
  return {
    name: 'announceMembers',
    // Members of before have been there for long.
    begins: 'end',
    belongsTo: 'deployment',
    reactions: {
      MemberJoined: (event, run) => announce(event, 'joined', run),
      MemberLeft: (event, run) => announce(event, 'left', run),
    },
  };
};

type Last = { readonly event: string; readonly at: Millis };
type Room = { readonly left: number; readonly at: Millis };

/** By the times of the events, so that a log that is read late has the room that it had. */
const announcedSoFar = (): ((event: Recorded<Reacts>, announces: Announcement) => boolean) => {
  const lasts = boundedMap<string, Last>({ entriesMax: announcedKeptMax });
  const rooms = boundedMap<CommunityId, Room>({ entriesMax: announcedKeptMax });
  return ({ id: event, at, data: { community, user } }, announces) => {
    const name = `${community.toString()}.${user.toString()}.${announces}`;
    const last = lasts.get(name);
    // It is met again because its message was not stored.
    if (last?.event === event) return true;
    if (last !== undefined && at - last.at < announcedAgainMillisMin) return false;
    const room = rooms.get(community) ?? { left: announcedBurstMax, at };
    const left = Math.min(announcedBurstMax, room.left + Math.max(0, at - room.at) / 1_000);
    if (left < 1) return false;
    lasts.set(name, { event, at });
    rooms.set(community, { left: left - 1, at });
    return true;
  };
};
