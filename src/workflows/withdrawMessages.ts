import { messages } from '../domain/messages/decide.js';
import type { BegunMessage, MessageEvent } from '../domain/messages/events.js';
import { reactions } from '../domain/reactions/decide.js';
import { reactionOf, type ReactionEvent } from '../domain/reactions/events.js';
import { isRejection } from '../kernel/decider.js';
import { defined } from '../kernel/defined.js';
import type { EventOf, Position, Recorded } from '../kernel/event.js';
import { withDeadline } from '../kernel/timing.js';
import type { Run, Workflow } from './runner.js';
import { shownBefore, type MessageHistory } from './shownBefore.js';

type Edited = EventOf<MessageEvent, 'MessageEdited'>;
type Reacted = EventOf<ReactionEvent, 'ReactionAdded' | 'CustomReactionAdded'>;
/** Users do this in a chat, and it can be taken back. */
export type Withdrawable = BegunMessage | Edited | Reacted;

export type WithdrawMessagesNeeds = MessageHistory & {
  /** Whether the actor had lost the right before the event came to its place. `undefined`: they had not. */
  readonly isRefused: (act: Recorded<Withdrawable>) => Promise<boolean> | undefined;
  /** Resolves once the fan-out of this node has passed this position; undefined when it has. */
  readonly reached: (position: Position) => Promise<void> | undefined;
};

/** The fan-out is waited for so long before the workflow reports that it stands still, and tries again. */
export const fanOutWaitMillisMax = 5_000;

/** Edits are paced, so that hardly ever one comes during the withdrawal of another, and then not twice. */
export const editAttemptsMax = 3;

/**
 * Whenever a message, an edit or a reaction came to a place in the log at which its author had no right to it any more,
 * it is taken back: the message is deleted, shows again what it showed before, or loses the reaction. That happens only
 * where nodes share the log, within the milliseconds in which such a thing is on its way.
 */
export const withdrawMessages = (needs: WithdrawMessagesNeeds): Workflow<Withdrawable> => {
  const isRefused = async (act: Recorded<Withdrawable>): Promise<boolean> => {
    const waiting = needs.reached(act.position);
    if (waiting !== undefined) await withDeadline(waiting, fanOutWaitMillisMax, tooLate);
    return (await needs.isRefused(act)) === true;
  };
  const sent = async (event: Recorded<BegunMessage>, run: Run): Promise<void> => {
    if (!(await isRefused(event))) return;
    const { message, chat } = event.data;
    await run(messages, { type: 'WithdrawMessage', data: { message, chat } }, `withdrawn.${event.id}`);
  };
  const edited = async (event: Recorded<Edited>, run: Run): Promise<void> => {
    if (!(await isRefused(event))) return;
    const { message, chat } = event.data;
    for (let attempt = 0; attempt < editAttemptsMax; attempt += 1) {
      const before = await shownBefore(needs, event, isRefused);
      if (before === undefined) return;
      const { shown, editedAt, paidUntil } = before;
      const data = { message, chat, shown, paidUntil, ...defined({ editedAt }) };
      const done = await run(messages, { type: 'WithdrawEdit', data }, `withdrawn.${event.id}`);
      // Without an event another edit came meanwhile, which may carry on what this one attached.
      if (isRejection(done) || done.events.length > 0) return;
    }
  };
  const reacted = async (event: Recorded<Reacted>, run: Run): Promise<void> => {
    if (!(await isRefused(event))) return;
    const { message, chat, user } = event.data;
    const data = { message, chat, user, reaction: reactionOf(event), change: Number(event.revision) + 1 };
    await run(reactions, { type: 'WithdrawReaction', data }, `withdrawn.${event.id}`);
  };
  return {
    name: 'withdrawMessages',
    // It judges what nodes did within the same milliseconds. Messages of long ago have been read, and stay.
    begins: 'end',
    belongsTo: 'deployment',
    // Only what nodes that share the log write says so.
    concerns: ({ asOf }) => asOf !== undefined,
    reactions: {
      MessageSent: sent,
      MessageForwarded: sent,
      MessageEdited: edited,
      ReactionAdded: reacted,
      CustomReactionAdded: reacted,
    },
  };
};

const tooLate = (): Error => new Error('the fan-out does not come to the event in time');
