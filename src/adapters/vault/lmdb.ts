import { chmodSync } from 'node:fs';
import { open, type Database, type RootDatabase } from 'lmdb';
import type { Replaced, Vault } from '../../kernel/ports/vault.js';
import { underWay, type UnderWay } from '../../kernel/underWay.js';
import { copyLmdb } from '../dataFolder/copyLmdb.js';
import { checkLmdbFile, DamagedFile } from '../dataFolder/lmdbFile.js';
import { makeFolder } from '../dataFolder/makeFolder.js';
import { openTables } from '../dataFolder/lmdbTables.js';
import { checkRoom } from '../dataFolder/room.js';
import {
  countOf,
  checkName,
  noSalt,
  saltNumberBytes,
  saltNumberOf,
  saltsFileIn,
  vaultCopyIn,
  vaultFileIn,
  wrappedIn,
} from './lmdbFiles.js';
import { checkedName } from './names.js';
import { copySalts, openSalts, type Salts } from './salts.js';
import { checkedKey, wrapping, type Wrapping } from './wrapping.js';

export type LmdbVaultOptions = {
  /** Made if it does not exist, for its owner alone. Holds `vault.mdb` and `vault.salts`: a backup needs both. */
  readonly folder: string;
  /** 32 bytes. */
  readonly masterKey: Uint8Array;
};

/** A vault that can be copied while it is used. */
export interface LmdbVault extends Vault {
  /** Both files, of one moment, into a folder. */
  copyTo(this: void, folder: string): Promise<void>;
}

/** Throws `WrongMasterKey`, and `DamagedFile` where one of the two files is. One process at a time. */
export const lmdbVault = async ({ folder, masterKey }: LmdbVaultOptions): Promise<LmdbVault> => {
  const wrap = wrapping(masterKey);
  const path = vaultFileIn(folder);
  makeFolder(folder);
  checkLmdbFile(path);
  checkRoom(folder);
  // Without overlapping syncs nothing is visible before it is durable.
  const environment = open({ path, noSubdir: true, maxDbs: 8, overlappingSync: false });
  try {
    chmodSync(path, 0o600);
    const { check, ...tables } = openTables(environment, tablesOf);
    await checkMasterKey(check, wrap);
    const salts = await saltsOf(saltsFileIn(folder), countOf(tables.secrets));
    const store: Store = { folder, copies: underWay(), wrap, salts, environment, ...tables };
    await wipe(store, [...store.unwiped.getKeys()]);
    return vaultOver(store);
  } catch (error) {
    await environment.close();
    throw error;
  }
};

/** Without its salt no secret can be unwrapped, and new salts would take the places of the missing ones. */
const saltsOf = async (path: string, secrets: number): Promise<Salts> => {
  const salts = await openSalts(path, secrets > 0 ? 'must be there' : 'may be made');
  if (salts.count() >= secrets) return salts;
  await salts.close();
  throw new DamagedFile(path, `it has ${salts.count().toString()} salts, vault.mdb ${secrets.toString()} secrets`);
};

const tablesOf = (root: RootDatabase): Tables & { readonly check: Database<Buffer, string> } => ({
  check: root.openDB({ name: 'check', encoding: 'binary' }),
  secrets: root.openDB({ name: 'secrets', encoding: 'binary' }),
  register: root.openDB({ name: 'destroyed', encoding: 'binary' }),
  unwiped: root.openDB({ name: 'unwiped', encoding: 'binary', keyEncoding: 'uint32' }),
});

type Tables = {
  /** name → number of the salt, wrapped secret. */
  readonly secrets: Database<Buffer, string>;
  readonly register: Database<Buffer, string>;
  /** Numbers of salts that nothing refers to any more, until they are overwritten. */
  readonly unwiped: Database<Buffer, number>;
};

type Store = Tables & {
  readonly folder: string;
  /** Copies under way, which still need every salt that there was when they began. */
  readonly copies: UnderWay;
  readonly wrap: Wrapping;
  readonly salts: Salts;
  readonly environment: RootDatabase;
};

const present = Buffer.of(1);

const checkMasterKey = async (check: Database<Buffer, string>, wrap: Wrapping): Promise<void> => {
  const held = check.getBinary(checkName);
  if (held === undefined) await check.put(checkName, wrap.wrap(checkName, noSalt, present));
  else checkedKey(() => wrap.unwrap(checkName, noSalt, held));
};

const vaultOver = (store: Store): LmdbVault => {
  const inFlight = underWay();
  const tracked = inFlight.add;
  return {
    get: async (name) => held(store, name),
    create: (name, secret) => tracked(create(store, name, secret)),
    put: (name, secret) => tracked(put(store, name, secret)),
    replace: (name, former, secret) => tracked(replace(store, name, { former, secret })),
    destroy: (name) => tracked(destroy(store, name)),
    destroyed: async (after, limit) =>
      Array.from(
        store.register.getKeys(after === undefined ? { limit } : { start: after, exclusiveStart: true, limit }),
      ),
    // A name is in one of the two tables: destroying it moves it.
    names: async () => {
      store.environment.resetReadTxn();
      return countOf(store.secrets) + countOf(store.register);
    },
    copyTo: (target) => tracked(store.copies.add(copy(store, target))),
    close: async () => {
      await inFlight.ended();
      await store.salts.close();
      await store.environment.close();
    },
  };
};

const held = (store: Store, name: string): Uint8Array | 'destroyed' | undefined => {
  const record = store.secrets.getBinary(checkedName(name));
  if (record !== undefined) return secretOf(store, name, record);
  return store.register.doesExist(name) ? 'destroyed' : undefined;
};

const secretOf = ({ wrap, salts }: Store, name: string, record: Buffer): Uint8Array =>
  wrap.unwrap(name, salts.read(saltNumberOf(record)), wrappedIn(record));

const recordOf = async ({ wrap, salts }: Store, name: string, secret: Uint8Array): Promise<Buffer> => {
  const { number, bytes } = await salts.add();
  const head = Buffer.alloc(saltNumberBytes);
  head.writeUInt32BE(number);
  return Buffer.concat([head, wrap.wrap(name, bytes, secret)]);
};

const create = async (store: Store, name: string, secret: Uint8Array): Promise<Uint8Array | 'destroyed'> => {
  const former = held(store, name);
  if (former !== undefined) return former;
  const record = await recordOf(store, name, secret);
  const outcome = await store.environment.transaction(() => {
    if (store.register.doesExist(name)) return 'destroyed';
    if (store.secrets.doesExist(name)) return 'held';
    void store.secrets.put(name, record);
    return 'stored';
  });
  // `slice` of a Buffer would be the same bytes.
  if (outcome === 'stored') return new Uint8Array(secret);
  // Somebody else's was first; by now it may even be gone.
  return held(store, name) ?? 'destroyed';
};

const put = async (store: Store, name: string, secret: Uint8Array): Promise<'stored' | 'destroyed'> => {
  const record = await recordOf(store, checkedName(name), secret);
  const former = await store.environment.transaction(() => {
    if (store.register.doesExist(name)) return 'destroyed';
    const salt = release(store, name);
    void store.secrets.put(name, record);
    return salt;
  });
  if (former === 'destroyed') return 'destroyed';
  await wipe(store, former);
  return 'stored';
};

type Replacing = { readonly former: Uint8Array; readonly secret: Uint8Array };

const replace = async (store: Store, name: string, { former, secret }: Replacing): Promise<Replaced> => {
  const held = store.secrets.getBinary(checkedName(name));
  if (held === undefined) return store.register.doesExist(name) ? 'destroyed' : 'changed';
  if (Buffer.compare(secretOf(store, name, held), former) !== 0) return 'changed';
  const record = await recordOf(store, name, secret);
  const outcome = await store.environment.transaction(() => {
    if (store.register.doesExist(name)) return 'destroyed';
    // Each record has a salt of its own, so that the same bytes are the same record.
    if (store.secrets.getBinary(name)?.equals(held) !== true) return 'changed';
    const salt = release(store, name);
    void store.secrets.put(name, record);
    return salt;
  });
  if (typeof outcome === 'string') return outcome;
  await wipe(store, outcome);
  return 'stored';
};

const destroy = async (store: Store, name: string): Promise<void> => {
  checkedName(name);
  const former = await store.environment.transaction(() => {
    const salt = release(store, name);
    void store.secrets.remove(name);
    void store.register.put(name, present);
    return salt;
  });
  await wipe(store, former);
};

/** Within a transaction: notes that the salt of the present secret, if there is one, has to be overwritten. */
const release = (store: Store, name: string): readonly number[] => {
  const record = store.secrets.getBinary(name);
  if (record === undefined) return [];
  const number = saltNumberOf(record);
  void store.unwiped.put(number, present);
  return [number];
};

/**
 * Runs after the transaction, so that no secret loses its salt; a wipe that a crash leaves undone is done when the
 * vault is opened.
 */
const wipe = async ({ copies, salts, unwiped, environment }: Store, numbers: readonly number[]): Promise<void> => {
  if (numbers.length === 0) return;
  await copies.ended();
  await salts.wipe(numbers);
  await environment.transaction(() => {
    for (const number of numbers) void unwiped.remove(number);
  });
};

/**
 * The secrets first, their salts after: a salt is stored before its secret is, so the second file has all that the first
 * one names. No salt is overwritten in between, or a secret of the copy would have lost its own.
 */
const copy = async (store: Store, target: string): Promise<void> => {
  await copyLmdb(store.environment, vaultCopyIn(target));
  await copySalts(saltsFileIn(store.folder), saltsFileIn(target));
};
