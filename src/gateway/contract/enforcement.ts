/** How far this node is from enforcing what is in the log. */
export interface EnforcementLag {
  /** The fan-out has not come to a place that was the log's end too long ago, so rights that it holds may be long gone. */
  isBehind(this: void): boolean;
}

/** Changes of rights that this node has handed to the log, until its fan-out has folded them. */
export interface ChangesUnderWay {
  /**
   * Undefined when the fan-out has folded all appends of this node to these streams; otherwise resolves once it has
   * folded those that were handed in by now. Rejects with `Unavailable` when that takes too long.
   */
  folded(this: void, streams: readonly string[]): Promise<void> | undefined;
}

/**
 * Reads wait until the read models have folded all that was acknowledged. So a sender who is faster than the folding has to
 * wait before the next append, and readers have not.
 */
export interface FoldingPace {
  /** Undefined when an append may be made now; otherwise resolves when it may, after `paceMillisMax` at the latest. */
  ready(this: void): Promise<void> | undefined;
}

/** An append waits no longer than this: read models that stand still are no reason to store nothing any more. */
export const paceMillisMax = 1_000;
