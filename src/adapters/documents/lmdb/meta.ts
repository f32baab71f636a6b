import type { Database } from 'lmdb';
import { unpack } from 'msgpackr';
import { checkLmdbFile } from '../../dataFolder/lmdbFile.js';
import { lookedInto, type LmdbTables } from '../../dataFolder/lmdbLook.js';
import type { LmdbTable } from '../../dataFolder/lmdbTree.js';

/** Checkpoints, the collections with their indexes, and the shapes of their documents. */
export type Meta = Database<unknown, string>;

/** Checkpoints, the owner and the collections, of an open file or of one that is only looked at. */
export type MetaEntries = {
  readonly get: (key: string) => unknown;
  /** Those whose key starts with the prefix, which ends with a space. */
  readonly below: (prefix: string) => readonly (readonly [key: string, value: unknown])[];
};

export const openedMeta = (meta: Meta): MetaEntries => ({
  get: (key) => meta.get(key),
  below: (prefix) =>
    [...meta.getRange({ start: prefix, end: `${prefix}\uffff` })].map(({ key, value }) => [key, value]),
});

/** Without opening the file, at which another process may be working. Undefined when there is none. Throws `DamagedFile`. */
export const lookedIntoMeta = <T>(file: string, read: (meta: MetaEntries) => T): T | undefined => {
  checkLmdbFile(file, 'late');
  return lookedInto({ file, flushing: 'late', values: 'plain' }, (tables) => read(entriesOf(tables)));
};

const entriesOf = ({ table }: LmdbTables): MetaEntries => {
  const meta = table('meta');
  return meta === undefined
    ? nothing
    : { get: (key) => valueIn(meta, key), below: (prefix) => entriesBelow(meta, prefix) };
};

const nothing: MetaEntries = { get: () => undefined, below: () => [] };

// The driver writes these keys as they are in UTF-8, and values in MessagePack.
const valueIn = (meta: LmdbTable, key: string): unknown => {
  const value = meta.get(Buffer.from(key));
  return value && unpack(value);
};

const entriesBelow = (meta: LmdbTable, prefix: string): readonly (readonly [string, unknown])[] => {
  const found: (readonly [string, unknown])[] = [];
  for (const { key, value } of meta.range({ start: Buffer.from(prefix), order: 'ascending' })) {
    const name = key.toString();
    if (!name.startsWith(prefix)) break;
    found.push([name, unpack(value)]);
  }
  return found;
};
