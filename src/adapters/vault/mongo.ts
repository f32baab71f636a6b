import { randomBytes } from 'node:crypto';
import type { Binary, Collection } from 'mongodb';
import type { Replaced, Vault } from '../../kernel/ports/vault.js';
import { connectMongo, databaseIn, isDuplicateKey } from '../mongo/connection.js';
import { driver } from '../mongo/driver.js';
import { checkedName } from './names.js';
import { checkedKey, saltBytes, wrapping, type Wrapping } from './wrapping.js';

export type MongoVaultOptions = {
  /** `mongodb://…` or `mongodb+srv://…`. */
  readonly url: string;
  /** 32 bytes, the same on every node. */
  readonly masterKey: Uint8Array;
  /**
   * For the vault alone, so that it is backed up, and a backup destroyed, apart from everything else. Default: the
   * database that the URL names, `osmium` without one, with `_vault` behind it.
   */
  readonly database?: string;
  /** How long the server is waited for. */
  readonly operationMillisMax?: number;
};

export const operationMillisDefault = 10_000;
const connectionsMax = 20;
const registerIndex = 'register';

/**
 * Secrets that several nodes share. Each has its salt beside it, and one record at a time is written, so nothing here
 * needs transactions. A record is never removed: a destroyed name keeps its place, and nobody can take it again.
 *
 * Throws `WrongMasterKey`, having written nothing. All methods reject when the server cannot be reached in time; then
 * it is unknown whether it was done, and doing it again is right.
 */
export const mongoVault = async (options: MongoVaultOptions): Promise<Vault> => {
  const wrap = wrapping(options.masterKey);
  const operationMillisMax = options.operationMillisMax ?? operationMillisDefault;
  const address = { url: options.url, appName: 'osmium vault', connectionsMax, operationMillisMax };
  const { client, readConcern } = await connectMongo(address);
  try {
    const database = client.db(databaseOf(options));
    const records = database.collection<SecretRecord>('secrets', { readConcern });
    await checkMasterKey(records, wrap);
    // Sparse: only what was destroyed takes room in it.
    await records.createIndexes([{ key: { destroyed: 1 }, name: registerIndex, sparse: true }]);
    return vaultOver({ wrap, records, maxTimeMS: operationMillisMax, close: () => client.close() });
  } catch (error) {
    await client.close();
    throw error;
  }
};

/** Whether there is a vault already. Makes nothing. Rejects when the server cannot be reached in time. */
export const hasMongoVault = async (options: Omit<MongoVaultOptions, 'masterKey'>): Promise<boolean> => {
  const operationMillisMax = options.operationMillisMax ?? operationMillisDefault;
  const address = { url: options.url, appName: 'osmium vault', connectionsMax: 1, operationMillisMax };
  const { client, readConcern } = await connectMongo(address);
  try {
    const records = client.db(databaseOf(options)).collection<SecretRecord>('secrets', { readConcern });
    return (await records.findOne({}, { projection: { _id: 1 }, maxTimeMS: operationMillisMax })) !== null;
  } finally {
    await client.close();
  }
};

const databaseOf = ({ url, database }: Omit<MongoVaultOptions, 'masterKey'>): string =>
  database ?? `${databaseIn(url)}_vault`;

/** `_id` is the name. A secret is replaced, and destroyed, by replacing the whole record, its salt with it. */
type SecretRecord = HeldRecord | DestroyedRecord;
type HeldRecord = { readonly _id: string; readonly salt: Binary; readonly wrapped: Binary };
/** Holds its name once more for the index, which orders the register. */
type DestroyedRecord = { readonly _id: string; readonly destroyed: string };

type Store = {
  readonly wrap: Wrapping;
  readonly records: Collection<SecretRecord>;
  readonly maxTimeMS: number;
  readonly close: () => Promise<void>;
};

/** No secret can be called so. */
const checkName = '';
const present = Uint8Array.of(1);

const checkMasterKey = async (records: Collection<SecretRecord>, wrap: Wrapping): Promise<void> => {
  const held = await firstOf(records, recordOf(wrap, checkName, present));
  checkedKey(() => secretIn(wrap, held));
};

const vaultOver = (store: Store): Vault => {
  const { wrap, records, maxTimeMS } = store;
  return {
    get: async (name) => {
      const record = await records.findOne({ _id: checkedName(name) }, { maxTimeMS });
      return record === null ? undefined : secretIn(wrap, record);
    },
    create: async (name, secret) => secretIn(wrap, await firstOf(records, recordOf(wrap, checkedName(name), secret))),
    put: async (name, secret) => put(records, recordOf(wrap, checkedName(name), secret)),
    replace: async (name, former, secret) => replace(store, former, recordOf(wrap, checkedName(name), secret)),
    destroy: async (name) => destroy(records, checkedName(name)),
    destroyed: (after, limit) => destroyed(store, after, limit),
    // The record that checks the master key is no secret of anybody's.
    names: async () => (await records.countDocuments({}, { maxTimeMS })) - 1,
    close: () => store.close(),
  };
};

const recordOf = ({ wrap }: Wrapping, name: string, secret: Uint8Array): HeldRecord => {
  const salt = randomBytes(saltBytes);
  const { Binary } = driver();
  return { _id: name, salt: new Binary(salt), wrapped: new Binary(wrap(name, salt, secret)) };
};

const secretIn = ({ unwrap }: Wrapping, record: SecretRecord): Uint8Array | 'destroyed' =>
  'destroyed' in record ? 'destroyed' : unwrap(record._id, record.salt.value(), record.wrapped.value());

/**
 * The record under the name, once it is durable, which is this record where there was none. To find another one is a
 * write that changes nothing, so a majority has that one too, which after a refused insert and a read would not be
 * certain.
 */
const firstOf = async (records: Collection<SecretRecord>, { _id, ...fields }: HeldRecord): Promise<SecretRecord> => {
  const held = await againOnDuplicate(() =>
    records.findOneAndUpdate({ _id }, { $setOnInsert: fields }, { upsert: true, returnDocument: 'after' }),
  );
  if (held === null) throw new Error(`MongoDB kept nothing under ${_id}`);
  return held;
};

const put = async (records: Collection<SecretRecord>, record: HeldRecord): Promise<'stored' | 'destroyed'> => {
  const { _id, ...fields } = record;
  const notDestroyed = { _id, destroyed: { $exists: false } };
  try {
    await records.replaceOne(notDestroyed, fields, { upsert: true });
    return 'stored';
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
  }
  // A record is there by now, of somebody quicker or of a destroyed name, and stays: this tells which.
  const { matchedCount } = await records.replaceOne(notDestroyed, fields);
  return matchedCount === 0 ? 'destroyed' : 'stored';
};

const replace = async (
  { records, wrap, maxTimeMS }: Store,
  former: Uint8Array,
  { _id, ...fields }: HeldRecord,
): Promise<Replaced> => {
  const held = await records.findOne({ _id }, { maxTimeMS });
  if (held === null) return 'changed';
  if ('destroyed' in held) return 'destroyed';
  const secret = secretIn(wrap, held);
  if (secret === 'destroyed' || Buffer.compare(secret, former) !== 0) return 'changed';
  // Each record has a salt of its own, so that the same bytes are the same record.
  const { matchedCount } = await records.replaceOne({ _id, salt: held.salt, wrapped: held.wrapped }, fields);
  if (matchedCount > 0) return 'stored';
  const now = await records.findOne({ _id }, { maxTimeMS });
  return now !== null && 'destroyed' in now ? 'destroyed' : 'changed';
};

const destroy = async (records: Collection<SecretRecord>, _id: string): Promise<void> => {
  await againOnDuplicate(() => records.replaceOne({ _id }, { destroyed: _id }, { upsert: true }));
};

/** Of several who put something where nothing was, one can be refused; when it asks again the other's is there. */
const againOnDuplicate = async <T>(write: () => Promise<T>): Promise<T> => {
  try {
    return await write();
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return write();
  }
};

const destroyed = async (
  { records, maxTimeMS }: Store,
  after: string | undefined,
  limit: number,
): Promise<readonly string[]> => {
  // No limit is what MongoDB takes a zero for.
  if (limit <= 0) return [];
  const found = await records
    .find({ destroyed: { $gt: after ?? '' } }, { sort: { destroyed: 1 }, limit, hint: registerIndex, maxTimeMS })
    .toArray();
  return found.map(({ _id }) => _id);
};
