import {
  blobsPerCallMax,
  checkedBlobBytes,
  checkedBlobName,
  checkedBlobNames,
  checkedBlobPage,
  checkedBlobRange,
  type Blobs,
} from '../../kernel/ports/blobs.js';

/** Blobs in this process, for tests. */
export const memoryBlobs = (): Blobs => {
  const blobs = new Map<string, Uint8Array>();
  // As a store elsewhere does, it rejects and never throws.
  const settled = <T>(work: () => T): Promise<T> => Promise.resolve().then(work);
  return {
    put: (name, bytes) => {
      const copy = Uint8Array.from(bytes);
      return settled(() => {
        blobs.set(checkedBlobName(name), checkedBlobBytes(copy));
      });
    },
    get: (name, range) =>
      settled(() => {
        const found = blobs.get(checkedBlobName(name));
        const { from, length } = checkedBlobRange(range ?? { from: 0, length: found?.length ?? 0 });
        return found?.slice(from, from + length);
      }),
    list: (prefix, page) =>
      settled(() => {
        const { after = '', limit } = checkedBlobPage(prefix, page);
        return [...blobs]
          .filter(([name]) => name.startsWith(prefix) && name > after)
          .sort(([one], [other]) => (one < other ? -1 : 1))
          .slice(0, limit)
          .map(([name, { length: bytes }]) => ({ name, bytes }));
      }),
    async *walk(prefix) {
      checkedBlobPage(prefix, { limit: 0 });
      // Those of one folder stand together, and the order is another one than that of a list.
      const all = [...blobs]
        .filter(([name]) => name.startsWith(prefix))
        .sort(([one], [other]) => (one < other ? 1 : -1));
      for (let at = 0; at < all.length; at += blobsPerCallMax) {
        yield await Promise.resolve(
          all.slice(at, at + blobsPerCallMax).map(([name, { length: bytes }]) => ({ name, bytes })),
        );
      }
    },
    remove: (names) =>
      settled(() => {
        for (const name of checkedBlobNames(names)) blobs.delete(name);
      }),
    close: () => Promise.resolve(),
  };
};
