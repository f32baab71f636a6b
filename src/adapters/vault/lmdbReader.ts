import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { open, type Database } from 'lmdb';
import type { Vault } from '../../kernel/ports/vault.js';
import { checkLmdbFile, DamagedFile } from '../dataFolder/lmdbFile.js';
import { checkName, countOf, noSalt, saltNumberOf, saltsFileIn, vaultFileIn, wrappedIn } from './lmdbFiles.js';
import { checkedName } from './names.js';
import { checkedKey, saltBytes, wrappedBytesMin, wrapping } from './wrapping.js';

/** A vault at which nobody works, such as a copy, for looking at. Changes nothing. */
export interface VaultReader extends Pick<Vault, 'get' | 'names'> {
  /** The names of the secrets that it holds. */
  secretNames(this: void): Iterable<string>;
  close(this: void): Promise<void>;
}

export type VaultReaderOptions = { readonly folder: string; readonly masterKey: Uint8Array };

/** Throws `WrongMasterKey`, and `DamagedFile` where a file is damaged or lacks what the other one needs. */
export const lmdbVaultReader = async ({ folder, masterKey }: VaultReaderOptions): Promise<VaultReader> => {
  const files = await openFiles(folder);
  const { unwrap } = wrapping(masterKey);
  const held = files.check?.getBinary(checkName);
  try {
    if (held !== undefined) checkedKey(() => unwrap(checkName, noSalt, held));
  } catch (error) {
    await files.close();
    throw error;
  }
  return {
    get: async (name) => {
      const record = files.secrets?.getBinary(checkedName(name));
      if (record !== undefined) return unwrap(name, files.saltOf(record), wrappedIn(record));
      return files.register?.doesExist(name) === true ? 'destroyed' : undefined;
    },
    names: () => Promise.resolve(sizeOf(files.secrets) + sizeOf(files.register)),
    secretNames: () => files.secrets?.getKeys() ?? [],
    close: files.close,
  };
};

/** Looks at what can be seen without the master key. Gives how many names the vault holds. Throws `DamagedFile`. */
export const checkVaultFiles = async (folder: string): Promise<number> => {
  const { secrets, register, saltOf, close } = await openFiles(folder);
  try {
    for (const { value } of secrets?.getRange() ?? []) {
      if (wrappedIn(value).length < wrappedBytesMin)
        throw new DamagedFile(vaultFileIn(folder), 'a secret is cut short');
      saltOf(value);
    }
    return sizeOf(secrets) + sizeOf(register);
  } finally {
    await close();
  }
};

type Table = Database<Buffer, string> | undefined;

const sizeOf = (table: Table): number => (table === undefined ? 0 : countOf(table));

const openFiles = async (folder: string) => {
  const [path, saltsPath] = [vaultFileIn(folder), saltsFileIn(folder)];
  checkLmdbFile(path);
  const salts = openSync(saltsPath, 'r');
  const root = open({ path, noSubdir: true, maxDbs: 8, readOnly: true });
  // A table that was never made is undefined when one may only read, which the library's types do not say.
  const table = (name: string): Table => root.openDB<Buffer, string>({ name, encoding: 'binary' });
  const [check, secrets, register] = ['check', 'secrets', 'destroyed'].map(table);
  const close = async (): Promise<void> => {
    closeSync(salts);
    await root.close();
  };
  const count = Math.floor(fstatSync(salts).size / saltBytes);
  if (count < sizeOf(secrets)) {
    await close();
    throw new DamagedFile(
      saltsPath,
      `it has ${count.toString()} salts, vault.mdb ${sizeOf(secrets).toString()} secrets`,
    );
  }
  const saltOf = (record: Buffer): Uint8Array => {
    const salt = new Uint8Array(saltBytes);
    const read = readSync(salts, salt, 0, saltBytes, saltNumberOf(record) * saltBytes);
    if (read < saltBytes) throw new DamagedFile(saltsPath, 'the salt of a secret is missing');
    return salt;
  };
  return { check, secrets, register, saltOf, close };
};
