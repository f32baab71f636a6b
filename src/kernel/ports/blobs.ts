/** In bytes: the most that one blob has. */
export const blobBytesMax = 2_097_152;

/** Names that one call of `list` answers, and that one call of `remove` takes, at most. */
export const blobsPerCallMax = 1_000;

/** In characters. */
export const blobNameLengthMax = 200;

export type BlobEntry = { readonly name: string; readonly bytes: number };

/** The bytes from `from` on, `length` of them or as many as there are. */
export type BlobRange = { readonly from: number; readonly length: number };

export type BlobPage = {
  /** Names above this one only. */
  readonly after?: string;
  /** At most `blobsPerCallMax`. */
  readonly limit: number;
};

/**
 * A place for sealed bytes, each blob whole under a name. It may be shared by all nodes. Nothing that it holds is believed:
 * a reader finds out whether a blob is the one that was put.
 *
 * A name is made of parts with `/` between them; a part has small letters, digits, `-` and `.` and does not begin with a dot.
 * Anything beyond the bounds is a mistake of the caller and throws a `RangeError`. A call that does not come to its end throws `BlobsAway`.
 */
export interface Blobs {
  /** In place of a former blob of the name. A reader gets the one or the other, whole. Durable when resolved. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** `undefined` where there is none. A range that begins at or behind the end gives no bytes. Never fewer than there are. */
  get(name: string, range?: BlobRange): Promise<Uint8Array | undefined>;
  /** Blobs whose names begin with the prefix, in the order of their names as ASCII has it. All that was put before is there. */
  list(prefix: string, page: BlobPage): Promise<readonly BlobEntry[]>;
  /**
   * All blobs whose names begin with the prefix, a page of at most `blobsPerCallMax` at a time, in any order, but that those whose names differ
   * behind the last `/` alone follow one another. Those that are put or removed meanwhile may be there. Keeps no thread for long, and
   * begins nowhere anew, however many there are.
   */
  walk(prefix: string): AsyncIterable<readonly BlobEntry[]>;
  /** Names without a blob are passed over. Those that were removed are not found any more when it resolves. */
  remove(names: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** The place cannot be reached, or did not do what it was asked for. A put may have been done all the same. */
export class BlobsAway extends Error {
  constructor(doing: string, cause: unknown) {
    super(`${doing} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'BlobsAway';
  }
}

const nameForm = /^[a-z0-9-][a-z0-9.-]*(\/[a-z0-9-][a-z0-9.-]*)*$/;
const prefixForm = /^[a-z0-9-][a-z0-9./-]*$/;

/** Throws a `RangeError` for a name that is none. Gives the name. */
export const checkedBlobName = (name: string): string => {
  if (name.length <= blobNameLengthMax && nameForm.test(name)) return name;
  throw new RangeError(`${JSON.stringify(name.slice(0, blobNameLengthMax))} is no name of a blob`);
};

/** The same for the bytes of a put. */
export const checkedBlobBytes = (bytes: Uint8Array): Uint8Array => {
  if (bytes.length <= blobBytesMax) return bytes;
  throw new RangeError(`a blob has at most ${blobBytesMax.toString()} bytes, not ${bytes.length.toString()}`);
};

/** The same for what a list is asked for. */
export const checkedBlobPage = (prefix: string, page: BlobPage): BlobPage => {
  const isPrefix = prefix === '' || (prefix.length <= blobNameLengthMax && prefixForm.test(prefix));
  if (!isPrefix) throw new RangeError(`${JSON.stringify(prefix)} is no beginning of names of blobs`);
  checkedCount(page.limit);
  return page;
};

/** The same for the names of a removal. */
export const checkedBlobNames = (names: readonly string[]): readonly string[] => {
  checkedCount(names.length);
  return names.map(checkedBlobName);
};

const checkedCount = (count: number): void => {
  if (!Number.isInteger(count) || count < 0 || count > blobsPerCallMax) {
    throw new RangeError(`one call is about ${blobsPerCallMax.toString()} blobs at most, not ${count.toString()}`);
  }
};

/** The same for a range. */
export const checkedBlobRange = (range: BlobRange): BlobRange => {
  const isRange = Number.isSafeInteger(range.from) && Number.isSafeInteger(range.length);
  if (isRange && range.from >= 0 && range.length >= 0) return range;
  throw new RangeError(`${range.from.toString()} and ${range.length.toString()} are no range of bytes`);
};
