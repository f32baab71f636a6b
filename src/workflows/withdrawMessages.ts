import { messages } from '../domain/messages/decide.js';
import type { BegunMessage } from '../domain/messages/events.js';
import type { Position, Recorded } from '../kernel/event.js';
import { withDeadline } from '../kernel/timing.js';
import type { Run, Workflow } from './runner.js';

export type WithdrawMessagesNeeds = {
  /** Whether the author had lost the right before the message came to its place. `undefined`: they had not. */
  readonly isRefused: (sent: Recorded<BegunMessage>) => Promise<boolean> | undefined;
  /** Resolves once the fan-out of this node has passed this position; undefined when it has. */
  readonly reached: (position: Position) => Promise<void> | undefined;
};

/** The fan-out is waited for so long before the workflow reports that it stands still, and tries again. */
export const fanOutWaitMillisMax = 5_000;

/**
 * Whenever a message came to a place in the log at which its author had no right to send it any more, it is deleted.
 * That happens only where nodes share the log, within the milliseconds in which a message is on its way.
 */
export const withdrawMessages = ({ isRefused, reached }: WithdrawMessagesNeeds): Workflow<BegunMessage> => {
  const judge = async (sent: Recorded<BegunMessage>, run: Run): Promise<void> => {
    const waiting = reached(sent.position);
    if (waiting !== undefined) await withDeadline(waiting, fanOutWaitMillisMax, tooLate);
    if ((await isRefused(sent)) !== true) return;
    const { message, chat } = sent.data;
    await run(messages, { type: 'WithdrawMessage', data: { message, chat } }, `withdrawn.${sent.id}`);
  };
  return {
    name: 'withdrawMessages',
    // It judges what nodes did within the same milliseconds. Messages of long ago have been read, and stay.
    begins: 'end',
    belongsTo: 'deployment',
    // Only messages of nodes that share the log say so.
    concerns: ({ asOf }) => asOf !== undefined,
    reactions: { MessageSent: judge, MessageForwarded: judge },
  };
};

const tooLate = (): Error => new Error('the fan-out does not come to the message in time');
