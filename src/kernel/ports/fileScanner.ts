import type { UserId } from '../ids.js';

/** Of the scanner itself: the time in which it waits for the bytes of the file is not counted. */
export const scanMillisMax = 30_000;

/**
 * `unjudged`: the scanner failed, took too long, or said neither. `busy`: so many wait that this file was not tried; later it may be.
 */
export const scanVerdicts = ['clean', 'refused', 'unjudged', 'busy'] as const;
export type ScanVerdict = (typeof scanVerdicts)[number];

/** A program of the operator's that judges what users upload. */
export interface FileScanner {
  /**
   * The bytes are read once, one part after the other, and not to their end where the scanner ends before. In turns: of those for whom files wait, each has theirs. Rejects with the error of `parts`, and with nothing else.
   */
  judged(this: void, parts: AsyncIterable<Uint8Array>, user: UserId): Promise<ScanVerdict>;
  /** Ends what is under way, which is `busy` then. */
  close(this: void): Promise<void>;
}
