import type { MessageEvent } from '../domain/messages/events.js';
import type { EventOf, Position } from '../kernel/event.js';
import { withDeadline } from '../kernel/timing.js';
import { removalsPerCommitMax, type DocumentStore } from '../kernel/ports/documentStore.js';
import { userReactionsCollection, userReactionsPrefix } from '../projections/reactions/documents.js';
import type { Workflow } from './runner.js';

export type RemoveReactionsNeeds = {
  readonly documents: Pick<DocumentStore, 'removePrefix'>;
  /** Resolves once these read models hold all events up to here; undefined when they do. */
  readonly reached: (position: Position, projections: readonly 'reactions'[]) => Promise<void> | undefined;
};

/** The read model is waited for so long before the workflow reports that it stands still, and tries again. */
export const waitMillisMax = 5_000;

/**
 * Whenever a message was deleted, the documents of the users who reacted to it are removed. Nobody is shown them from
 * the deletion on; this is for the room that they take up. The read model must have passed the deletion, because a
 * reaction that it folds afterwards would bring a document back.
 *
 * The checkpoint is with the documents: when they are built anew from the log, the removals are done anew.
 */
export const removeReactions = ({
  documents,
  reached,
}: RemoveReactionsNeeds): Workflow<EventOf<MessageEvent, 'MessageDeleted'>> => ({
  name: `removeReactions ${userReactionsCollection}`,
  // Each generation folds all of them again.
  begins: 'start',
  belongsTo: 'documents',
  reactions: {
    MessageDeleted: async ({ data: { message }, position }) => {
      const waiting = reached(position, ['reactions']);
      if (waiting !== undefined) await withDeadline(waiting, waitMillisMax, tooLate);
      let removed = removalsPerCommitMax;
      while (removed === removalsPerCommitMax) {
        removed = await documents.removePrefix(userReactionsCollection, userReactionsPrefix(message));
      }
    },
  },
});

const tooLate = (): Error => new Error('the read model of reactions does not come to the deletion in time');
