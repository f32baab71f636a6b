import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { checkLinks } from '../dataFolder/links.js';
import { makeFolder } from '../dataFolder/makeFolder.js';
import { masterKeyBytes } from './wrapping.js';

/** The file is missing and may not be made, or holds no key. */
export class NoMasterKey extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NoMasterKey';
  }
}

export type MasterKey = {
  readonly key: Uint8Array;
  /** The file did not exist: tell the operator to back it up, apart from the data. */
  readonly made: boolean;
  /** Something that the operator should put right. */
  readonly warning?: string;
};

/**
 * Reads a key file: 32 bytes, as they are, or as hex or base64 text. Makes it, for its owner alone, if it does not
 * exist and may be made: beside a vault that is there already a new key would only hide that the old one is missing.
 * Throws `NoMasterKey` when the file holds anything else, or is missing and may not be made,
 * and `DanglingLink`.
 */
export const loadMasterKey = (path: string, { mayMake }: { readonly mayMake: boolean }): MasterKey => {
  checkLinks(path);
  if (!mayMake && !existsSync(path)) {
    throw new NoMasterKey(
      `the vault was made under a master key, but ${path} is not there: restore the key file. If it is lost for good, ` +
        'so is what the vault holds: move the vault away, and run "osmium vault new --give-up-keys"',
    );
  }
  const made = makeUnlessExists(path);
  const key = keyIn(contentOf(path), path);
  // Windows has no such bits.
  const open = process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0;
  return open ? { key, made, warning: `others can read the master key ${path}: chmod 600 it` } : { key, made };
};

const makeUnlessExists = (path: string): boolean => {
  makeFolder(dirname(path));
  try {
    writeFileSync(path, `${randomBytes(masterKeyBytes).toString('base64')}\n`, {
      mode: 0o600,
      flag: 'wx',
      flush: true,
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false; // The errors of fs are ErrnoExceptions.
    throw error;
  }
};

const contentOf = (path: string): Buffer => {
  // The system refuses to read a folder without naming it.
  if (!statSync(path).isFile()) throw new NoMasterKey(`${path} is no file`);
  return readFileSync(path);
};

const hex = /^[0-9a-fA-F]{64}$/;
const base64 = /^[A-Za-z0-9+/_-]{43}=?$/;

const keyIn = (content: Buffer, path: string): Uint8Array => {
  if (content.length === masterKeyBytes) return taken(content);
  const text = content.toString('latin1').trim();
  content.fill(0);
  if (hex.test(text)) return taken(Buffer.from(text, 'hex'));
  if (base64.test(text)) return taken(Buffer.from(text, 'base64'));
  throw new NoMasterKey(`${path} holds no master key: 32 bytes, or these as hex or base64`);
};

/** A copy in memory of its own. That of the buffer may be shared, and is overwritten. */
const taken = (bytes: Buffer): Uint8Array => {
  const key = Uint8Array.from(bytes);
  bytes.fill(0);
  return key;
};
