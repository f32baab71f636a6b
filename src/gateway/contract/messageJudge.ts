import type { ChatKey } from '../../kernel/chat.js';
import type { Metadata, Position } from '../../kernel/event.js';
import type { Millis, UserId } from '../../kernel/ids.js';
import type { Reason } from '../../kernel/reasons.js';

/** A message in the log, with what the node that took it knew when it decided. */
export type DecidedMessage = {
  readonly chat: ChatKey;
  readonly author: UserId;
  readonly position: Position;
  readonly at: Millis;
  /** It has files or links beside its text, which is a right of its own. */
  readonly attaches: boolean;
  readonly metadata: Pick<Metadata, 'asOf' | 'slowmode' | 'session'>;
};

/**
 * Nodes that share a log cannot make an append depend on rights, which are in other streams. So a message says as of
 * which position its right was looked at (`Metadata.asOf`), and each node finds alike whether the right was still there
 * at the place of the message.
 */
export interface MessageJudge {
  /**
   * Why the message must not be: undefined when it may. Without a wait as long as nothing that the message depends on
   * has changed since `asOf`, as far as this node's fan-out has come.
   */
  refusalOf(this: void, message: DecidedMessage): Promise<Reason | undefined> | undefined;
}
