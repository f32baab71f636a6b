/** A page is not the one that was looked for: it was used for something else, or is damaged. */
export class PageGone extends Error {
  constructor() {
    super('a page of an LMDB file is not the one that was looked for');
    this.name = 'PageGone';
  }
}

/** The pages of an LMDB file as of one moment. */
export type Pages = {
  readonly pageBytes: number;
  /** So many in a row, of which the first one is `page`. Throws `PageGone`. */
  readonly read: (page: bigint, count: number) => Buffer;
};

export type LmdbEntry = { readonly key: Buffer; readonly value: Buffer };

export type LmdbRange = {
  /** The first key, or the one before it where it is missing in a descending range, behind it in an ascending one. */
  readonly start?: Buffer;
  readonly order: 'ascending' | 'descending';
};

/** One table of an LMDB file. Keys are in the order of their bytes. Throws `PageGone`. */
export type LmdbTable = {
  /** How many keys it has. */
  readonly entries: number;
  readonly get: (key: Buffer) => Buffer | undefined;
  readonly range: (range: LmdbRange) => Iterable<LmdbEntry>;
};

export type LmdbTree = LmdbTable & { readonly tableNamed: (name: string) => LmdbTable | undefined };

/** `root`: that of a tree without entries is `noRoot`. */
export const lmdbTree = (
  pages: Pages,
  { root, entries }: { readonly root: bigint; readonly entries: number },
): LmdbTree => {
  const range = ({ start, order }: LmdbRange): Iterable<LmdbEntry> =>
    root === noRoot ? [] : entriesIn({ pages, start, order }, root, depthMax);
  const nodeAt = (key: Buffer): Node | undefined => (root === noRoot ? undefined : found(pages, root, key));
  return {
    entries,
    range,
    get: (key) => {
      const node = nodeAt(key);
      return node && valueOf(pages, node);
    },
    tableNamed: (name) => {
      // The package lmdb ends names with a zero.
      const node = nodeAt(Buffer.from(`${name}\0`));
      if (node === undefined || (node.flags & subDatabaseFlag) === 0) return undefined;
      const record = valueOf(pages, node);
      if (record.length < databaseBytes) throw new PageGone();
      return lmdbTree(pages, {
        root: record.readBigUInt64LE(rootAt),
        entries: Number(record.readBigUInt64LE(entriesAt)),
      });
    },
  };
};

/** The root of a table without entries. */
export const noRoot = 2n ** 64n - 1n;

// The layout of liblmdb as the package lmdb builds it: MDB_page_header, MDB_node, MDB_db.
const headerBytes = 24;
const flagsAt = 18;
const lowerAt = 20;
const branchFlag = 0x01;
const leafFlag = 0x02;
const overflowFlag = 0x04;
const nodeHeaderBytes = 8;
const bigDataFlag = 0x01;
const subDatabaseFlag = 0x02;
const databaseBytes = 48;
const entriesAt = 32;
const rootAt = 40;
/** No tree of LMDB is deeper. */
const depthMax = 32;

type Node = {
  readonly key: Buffer;
  readonly flags: number;
  readonly rest: Buffer;
  readonly size: number;
  readonly child: bigint;
};

type Page = { readonly bytes: Buffer; readonly isLeaf: boolean; readonly count: number };

const pageOf = (pages: Pages, number: bigint): Page => {
  const bytes = pages.read(number, 1);
  const flags = bytes.readUInt16LE(flagsAt);
  const count = bytes.readUInt16LE(lowerAt) >> 1;
  if ((flags & (branchFlag | leafFlag)) === 0 || headerBytes + 2 * count > bytes.length) throw new PageGone();
  return { bytes, isLeaf: (flags & leafFlag) !== 0, count };
};

const nodeIn = ({ bytes }: Page, index: number): Node => {
  const at = headerBytes + bytes.readUInt16LE(headerBytes + 2 * index);
  if (at + nodeHeaderBytes > bytes.length) throw new PageGone();
  const [low, high] = [bytes.readUInt16LE(at), bytes.readUInt16LE(at + 2)];
  const [flags, keyBytes] = [bytes.readUInt16LE(at + 4), bytes.readUInt16LE(at + 6)];
  const keyAt = at + nodeHeaderBytes;
  if (keyAt + keyBytes > bytes.length) throw new PageGone();
  const size = high * 0x1_0000 + low;
  const child = BigInt(flags) * 0x1_0000_0000n + BigInt(size);
  return { key: bytes.subarray(keyAt, keyAt + keyBytes), flags, rest: bytes.subarray(keyAt + keyBytes), size, child };
};

const valueOf = (pages: Pages, { flags, rest, size }: Node): Buffer => {
  if ((flags & bigDataFlag) === 0) {
    if (size > rest.length) throw new PageGone();
    return rest.subarray(0, size);
  }
  if (rest.length < 8) throw new PageGone();
  const bytes = pages.read(rest.readBigUInt64LE(0), Math.ceil((headerBytes + size) / pages.pageBytes));
  if ((bytes.readUInt16LE(flagsAt) & overflowFlag) === 0) throw new PageGone();
  return bytes.subarray(headerBytes, headerBytes + size);
};

/** The last node whose key is not above `key`; −1 when there is none. The first key of a branch stands for all below. */
const lastUpTo = (page: Page, key: Buffer): number => {
  let [low, high] = [page.isLeaf ? 0 : 1, page.count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Buffer.compare(nodeIn(page, middle).key, key) <= 0) low = middle + 1;
    else high = middle;
  }
  return low - 1;
};

const found = (pages: Pages, root: bigint, key: Buffer): Node | undefined => {
  let number = root;
  for (let depth = 0; depth < depthMax; depth += 1) {
    const page = pageOf(pages, number);
    const index = lastUpTo(page, key);
    if (!page.isLeaf) {
      number = nodeIn(page, index).child;
      continue;
    }
    const node = index < 0 ? undefined : nodeIn(page, index);
    return node?.key.equals(key) === true ? node : undefined;
  }
  throw new PageGone();
};

type Walk = Pick<LmdbRange, 'order'> & { readonly pages: Pages; readonly start: Buffer | undefined };

function* entriesIn(walk: Walk, root: bigint, depthLeft: number): Generator<LmdbEntry, void> {
  if (depthLeft === 0) throw new PageGone();
  const { pages, order } = walk;
  const page = pageOf(pages, root);
  const step = order === 'ascending' ? 1 : -1;
  for (let index = firstIn(page, walk); index >= 0 && index < page.count; index += step) {
    const node = nodeIn(page, index);
    if (page.isLeaf) yield { key: node.key, value: valueOf(pages, node) };
    // In all but the first child every key is on the same side of the start.
    else yield* entriesIn(walk, node.child, depthLeft - 1);
  }
}

const firstIn = (page: Page, { start, order }: Walk): number => {
  if (start === undefined) return order === 'ascending' ? 0 : page.count - 1;
  const index = lastUpTo(page, start);
  if (order === 'descending' || !page.isLeaf) return index;
  return index >= 0 && nodeIn(page, index).key.equals(start) ? index : index + 1;
};
