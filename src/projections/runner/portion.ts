/**
 * The documents that one of several workers folds: those of some streams, and in the first worker all that are folded from many
 * streams as well. No two workers have the same document, so each may be at another place of the log.
 */
export type Portion = {
  /** From 0 on. */
  readonly worker: number;
  readonly workers: number;
};

/** The first worker decodes all events for the documents of many streams, which is about half of the work of one of two. */
const firstWeight = 0.2;

/** Whether it has the documents that are folded from many streams. */
export const foldsManyStreams = ({ worker }: Portion): boolean => worker === 0;

/** Whether it has the documents of this stream alone. */
export const foldsStream = ({ worker, workers }: Portion, stream: string): boolean => {
  const place = placeOf(stream) * (workers - 1 + firstWeight);
  return place < firstWeight ? worker === 0 : worker === 1 + Math.floor(place - firstWeight);
};

const hashStart = 0x811c9dc5;
const hashPrime = 0x01000193;

/** From 0 to 1, and the same for a stream at any time. */
const placeOf = (stream: string): number => {
  let hash = hashStart;
  for (let index = 0; index < stream.length; index += 1) hash = Math.imul(hash ^ stream.charCodeAt(index), hashPrime);
  // The upper bits know little of the last letters yet, which are what differs.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32;
};
