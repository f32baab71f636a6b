/** Tells of most packed ids that a block does not have them, without a look at its entries. */
export type Filter = Uint32Array;

export const filterOf = (ids: readonly string[]): Filter => Uint32Array.from(ids, fingerprint).sort();

export const mayHold = (filter: Filter, id: string): boolean => {
  const wanted = fingerprint(id);
  let low = 0;
  let high = filter.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((filter[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return filter[low] === wanted;
};

// The last bytes of a UUID are random in every version that is random at all.
const fingerprint = (id: string): number =>
  ((id.charCodeAt(12) << 24) | (id.charCodeAt(13) << 16) | (id.charCodeAt(14) << 8) | id.charCodeAt(15)) >>> 0;

/** This many filters are remembered at most, of a kilobyte each. */
const filtersMax = 16_384;

/** A filter never changes. The number of remembered filters is bounded by forgetting all of them now and then. */
export const rememberedFilters = (
  read: (stream: string, block: number) => Filter | undefined,
): ((stream: string, block: number) => Filter | undefined) => {
  const known = new Map<string, Map<number, Filter>>();
  let count = 0;
  return (stream, block) => {
    const held = known.get(stream)?.get(block);
    if (held !== undefined) return held;
    const found = read(stream, block);
    if (found === undefined) return undefined;
    if (count >= filtersMax) {
      known.clear();
      count = 0;
    }
    count += 1;
    const ofStream = known.get(stream) ?? new Map<number, Filter>();
    known.set(stream, ofStream.set(block, found));
    return found;
  };
};
