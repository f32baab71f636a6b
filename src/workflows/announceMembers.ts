import { communities } from '../domain/communities/decide.js';
import { communityStream } from '../domain/communities/events.js';
import type { MemberEvent } from '../domain/members/events.js';
import { messages } from '../domain/messages/decide.js';
import type { Announcement } from '../domain/messages/events.js';
import { channelChat } from '../kernel/chat.js';
import type { EventOf, Recorded } from '../kernel/event.js';
import type { FoldedStreams } from '../kernel/foldedStreams.js';
import type { MessageId } from '../kernel/ids.js';
import { momentOf } from '../kernel/moment.js';
import type { Clock } from '../kernel/ports/system.js';
import type { Run, Workflow } from './runner.js';

export type AnnounceMembersNeeds = {
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
  readonly clock: Pick<Clock, 'now'>;
};

/** Events that are older are passed over, so that a log that is read again posts nothing. */
export const announcedMillisMax = 60_000;

type Reacts = EventOf<MemberEvent, 'MemberJoined' | 'MemberLeft'>;

/**
 * Whenever somebody joined a community or left it of their own will, a message says so in the channel that its settings
 * name, if they want that. A removal is nobody else's business. The id of the message is the moment of the event, which
 * nothing else has for an id: so it stands where the event does, and is posted once, however often the event is read.
 */
export const announceMembers = ({ streams, clock }: AnnounceMembersNeeds): Workflow<Reacts> => {
  const announce = async (event: Recorded<Reacts>, announces: Announcement, run: Run): Promise<void> => {
    if (clock.now() - event.at > announcedMillisMax) return;
    const { community, user: by } = event.data;
    const { state } = await streams.caughtUp(communityStream(community), communities);
    const wish = state.status === 'living' ? state.settings?.systemMessages : undefined;
    if (wish?.channel === undefined || !wish.wanted || event.at < wish.since) return;
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
