import { TransactionFlags, type RootDatabase } from 'lmdb';

/**
 * Opens the tables of an LMDB file, and makes those that are not there, in one transaction: each that LMDB makes by itself
 * would wait for the disk. `tablesOf` may also read and write at once. Nothing is made when it throws.
 */
export const openTables = <Tables>(root: RootDatabase, tablesOf: (root: RootDatabase) => Tables): Tables =>
  root.transactionSync(() => tablesOf(root), TransactionFlags.SYNCHRONOUS_COMMIT);
