/** The parts of a deployment that a backup may have, in the order in which they are copied. */
export const backupPartNames = ['state', 'log', 'vault', 'idMark', 'files'] as const;
export type BackupPartName = (typeof backupPartNames)[number];

/** The copies of a data folder's parts, before they have been read and sealed by a manifest. */
export type TakenBackup = {
  /** Of the program that copied. */
  readonly release: string;
  /** When copying began and ended, as ISO 8601 has it. */
  readonly began: string;
  readonly ended: string;
  readonly parts: readonly BackupPartName[];
  /** The parts that a server of their own keeps, and where. */
  readonly elsewhere: readonly { readonly part: 'log' | 'vault' | 'files'; readonly where: string }[];
  /** Where the master key is. */
  readonly keyFile: string;
};

/** Something is in the way of a backup, of reading one, or of a restore. The message is for people. */
export class BackupRefused extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BackupRefused';
  }
}

/** Where a backup is, absolute, and the file of the master key, where somebody named one. */
export type BackupPlace = { readonly folder: string; readonly key: string | undefined };
