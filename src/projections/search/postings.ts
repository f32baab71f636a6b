/**
 * The messages of one chat that have one term, by id, ascending. The newest are in the head, the others in blocks, each
 * named by the highest id that it had when it was filled: its ceiling. Blocks do not overlap: the ids of a block are
 * above the ceiling before its own and not above its own, those of the head are above all ceilings.
 */
export type MessageIds = BigUint64Array;

export type PostingHead = { readonly ceilings: MessageIds; readonly ids: MessageIds };

/** A head with as many ids becomes a block when a newer one comes. 4 KiB. */
export const blockIdsMax = 512;

export const noIds: MessageIds = new BigUint64Array(0);
export const emptyHead: PostingHead = { ceilings: noIds, ids: noIds };

/** How many ids are below `id`, which is the place where it is or would be. */
export const placeIn = (ids: MessageIds, id: bigint): number => {
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ids[middle] ?? 0n) < id) low = middle + 1;
    else high = middle;
  }
  return low;
};

export const withId = (ids: MessageIds, id: bigint): MessageIds => {
  const highest = ids[ids.length - 1] ?? 0n;
  if (id > highest) return withNewest(ids, id);
  const place = placeIn(ids, id);
  if (ids[place] === id) return ids;
  const more = new BigUint64Array(ids.length + 1);
  more.set(ids.subarray(0, place));
  more[place] = id;
  more.set(ids.subarray(place), place + 1);
  return more;
};

/**
 * The newest message is added behind the others where the memory of the list has room, so that a list is not copied for
 * each of its messages. Other lists in the same memory are as long as before. No id is 0, so a place that holds another
 * number is somebody else's: of a list that was made of the same one.
 */
const withNewest = (ids: MessageIds, id: bigint): MessageIds => {
  const longer = ids.length + 1;
  const end = ids.byteOffset + ids.byteLength;
  if (end + BigUint64Array.BYTES_PER_ELEMENT <= ids.buffer.byteLength) {
    const more = new BigUint64Array(ids.buffer, ids.byteOffset, longer);
    if (more[ids.length] === 0n) {
      more[ids.length] = id;
      return more;
    }
  }
  const room = new ArrayBuffer(BigUint64Array.BYTES_PER_ELEMENT * Math.min(2 * longer, Math.max(longer, blockIdsMax)));
  const more = new BigUint64Array(room, 0, longer);
  more.set(ids);
  more[ids.length] = id;
  return more;
};

export const withoutId = (ids: MessageIds, id: bigint): MessageIds => {
  const place = placeIn(ids, id);
  if (ids[place] !== id) return ids;
  const fewer = new BigUint64Array(ids.length - 1);
  fewer.set(ids.subarray(0, place));
  fewer.set(ids.subarray(place + 1), place);
  return fewer;
};

/** The ceiling of the block to which an id belongs; undefined for the head. */
export const blockOf = ({ ceilings }: PostingHead, id: bigint): bigint | undefined => ceilings[placeIn(ceilings, id)];

/** As a store keeps them: 8 bytes each. */
export const bytesOfIds = (ids: MessageIds): Uint8Array => new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength);

export const idsOfBytes = (bytes: Uint8Array): MessageIds => {
  // A view of its own: the bytes may lie anywhere in a larger buffer.
  const copy = new Uint8Array(bytes);
  return new BigUint64Array(copy.buffer, 0, copy.length / BigUint64Array.BYTES_PER_ELEMENT);
};
