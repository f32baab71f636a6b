import type { ReactionEvent } from '../../../domain/reactions/events.js';
import { boundedMap } from '../../../kernel/boundedMap.js';
import type { ChatKey } from '../../../kernel/chat.js';
import type { Position, Recorded } from '../../../kernel/event.js';
import type { MessageId, UserId } from '../../../kernel/ids.js';
import { reactionsOfUsers, reactionsTo, type ReactedMessage } from '../../../projections/reactions/queries.js';
import type { Reads } from '../../../projections/reading/queries.js';
import { chatRefFor, isCalledAlike } from '../../contract/chatRefs.js';
import { perRendering, type AlikeUsers } from '../../contract/perRendering.js';
import type { ReadModels } from '../../contract/readModels.js';
import type { Delivery, UpdateTable } from '../../contract/updates.js';
import type { UpdateView } from '../../contract/updateView.js';
import { reactionsFor } from '../../rendering/reactions.js';

export type ReactionUpdatesNeeds = { readonly reads: Reads; readonly readModels: Pick<ReadModels, 'reached'> };

/**
 * All reactions of a message, to everybody who sees the chat. They are rendered from the stored document, and when it
 * holds later changes of this message already, the last of those shows all. So of any number that come at once, one
 * update is sent for each commit of the read model, as of an event and to those who may see the chat at that event.
 */
export const reactionUpdates = ({
  reads,
  readModels,
}: ReactionUpdatesNeeds): UpdateTable<ReactionEvent, UpdateView> => {
  const ahead = aheadOf();
  const changed = async (
    { data: { chat, message }, position }: Recorded<ReactionEvent>,
    view: UpdateView,
  ): Promise<readonly Delivery[]> => {
    const left = ahead.lastOf(message, position);
    if (left === 'later') return [];
    const viewers = [...view.after.viewersOf(chat)];
    if (viewers.length === 0) return [];
    await readModels.reached(position, ['reactions']);
    const reacted = await reactionsTo(reads, message);
    if (reacted.position > position) ahead.put(message, reacted.position);
    // Nobody hears of a deleted message again.
    if (reacted.position > position || reacted.deleted) return [];
    const made = deliveries(chat, reacted, await reactionsOfUsers(reads, reacted, viewers), viewers);
    return left === 'this' ? made.map((delivery) => ({ ...delivery, tellsOthers: true })) : made;
  };
  return {
    ReactionAdded: changed,
    ReactionRemoved: changed,
    CustomReactionAdded: changed,
    CustomReactionRemoved: changed,
  };
};

/** Messages whose documents are known to hold later changes; without it each of their events would be looked up. */
export const aheadMessagesMax = 10_000;

const aheadOf = () => {
  const positions = boundedMap<MessageId, Position>({ entriesMax: aheadMessagesMax });
  return {
    /** Whether events before this one left it to a later one, or to this one, to tell all. */
    lastOf: (message: MessageId, position: Position): 'later' | 'this' | undefined => {
      const known = positions.get(message);
      if (known === undefined) return undefined;
      if (position < known) return 'later';
      positions.delete(message);
      return 'this';
    },
    put: (message: MessageId, position: Position): void => {
      positions.set(message, position);
    },
  };
};

/** One delivery for all viewers who put the same emoji there, and name the chat alike. */
const deliveries = (
  chat: ChatKey,
  reacted: ReactedMessage,
  own: ReadonlyMap<UserId, readonly string[]>,
  viewers: readonly UserId[],
): readonly Delivery[] => {
  const nameKey = (viewer: UserId): string => (isCalledAlike(chat) ? '' : viewer.toString());
  return perRendering(
    viewers.map((viewer): AlikeUsers => [viewer]),
    (viewer) => `${nameKey(viewer)} ${ownKey(own.get(viewer))}`,
    (viewer) => ({
      update: {
        messageReactions: {
          chatRef: chatRefFor(chat, viewer),
          reactions: reactionsFor(reacted, own.get(viewer) ?? []),
        },
      },
    }),
  );
};

const ownKey = (emoji: readonly string[] = []): string => emoji.toSorted().join(' ');
