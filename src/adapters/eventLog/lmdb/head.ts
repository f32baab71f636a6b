import type { StoredPlace } from '../appendRules.js';
import type { Settings } from './logStore.js';

/** The end of a stream with its stored events and those on their way, so that an append is checked without waiting. */
export type Head = {
  readonly stream: string;
  /** Of the last event, -1 when there is none. */
  revision: number;
  settings: Settings;
  /** Settles when the last append to the stream does. */
  settled: Promise<void> | undefined;
  /** How many events are on their way. */
  inFlight: number;
  /** How many blocks of ids are complete and durable: the index answers for those. */
  blocks: number;
  /** The packed ids after those blocks, and of what is on its way. */
  readonly ids: Map<string, StoredPlace>;
  /** Below it, all that a max count cut and that could be removed from the log has been. */
  swept: number;
};
