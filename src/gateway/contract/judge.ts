import type { ChatKey } from '../../kernel/chat.js';
import type { Metadata, Position } from '../../kernel/event.js';
import type { Millis, UserId } from '../../kernel/ids.js';
import type { Reason } from '../../kernel/reasons.js';

/** A message, an edit or a reaction in the log, with what the node that took it knew when it decided. */
export type DecidedAct = {
  readonly chat: ChatKey;
  readonly actor: UserId;
  readonly position: Position;
  readonly at: Millis;
  /** The bits of all rights that it takes in its chat. */
  readonly needs: bigint;
  readonly metadata: Pick<Metadata, 'asOf' | 'slowmode' | 'session'>;
};

/**
 * Nodes that share a log cannot make an append depend on rights, which are in other streams. So a message, an edit or a
 * reaction says as of which position its right was looked at (`Metadata.asOf`), and each node finds alike whether the
 * right was still there at its place.
 */
export interface ActJudge {
  /**
   * Why it must not be: undefined when it may. Without a wait as long as nothing that it depends on has changed since
   * `asOf`, as far as this node's fan-out has come.
   */
  refusalOf(this: void, act: DecidedAct): Promise<Reason | undefined> | undefined;
}
