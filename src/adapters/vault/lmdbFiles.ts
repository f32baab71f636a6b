import { join } from 'node:path';
import type { Database } from 'lmdb';
import { copyClosedLmdb, type LmdbCopy } from '../dataFolder/copyLmdb.js';
import { hasLmdbFile } from '../dataFolder/lmdbFile.js';
import { copySalts } from './salts.js';
import { saltBytes } from './wrapping.js';

/** A vault is two files, of which neither is of any use without the other. */
export const vaultFileIn = (folder: string): string => join(folder, 'vault.mdb');
export const saltsFileIn = (folder: string): string => join(folder, 'vault.salts');

/** Whether there is a vault already. Makes nothing. */
export const hasLmdbVault = (folder: string): boolean => hasLmdbFile(vaultFileIn(folder));

export const vaultCopyIn = (folder: string): LmdbCopy => ({ path: vaultFileIn(folder), file: vaultFileIn(folder) });

/** Copies a vault that no process has open. The caller holds the lock of its data folder. */
export const copyClosedVault = async (folder: string, target: string): Promise<void> => {
  await copyClosedLmdb(vaultCopyIn(folder), vaultCopyIn(target));
  await copySalts(saltsFileIn(folder), saltsFileIn(target));
};

/** The name and the salt of what tells the master key, in the table `check`. */
export const checkName = 'check';
export const noSalt = new Uint8Array(saltBytes);

/** A record of the table `secrets`: the number of its salt, then the wrapped secret. */
export const saltNumberBytes = 4;
export const saltNumberOf = (record: Buffer): number => record.readUInt32BE(0);
export const wrappedIn = (record: Buffer): Buffer => record.subarray(saltNumberBytes);

export const countOf = (table: Database<Buffer, string>): number =>
  // The library's types leave open what it counts.
  (table.getStats() as { readonly entryCount: number }).entryCount;
