import type { Manifest } from './manifest.js';

/** The outcome of a backup, of reading one whole, or of a restore. */
export type BackupReport = {
  readonly folder: string;
  readonly manifest: Manifest;
  /** Every secret and sealed value was opened, and not only looked at. */
  readonly isOpened: boolean;
  /** The data folder that it was restored into. */
  readonly restoredTo?: string;
};

/** In one line of JSON, for programs. */
export const jsonOf = ({ folder, manifest, isOpened, restoredTo }: BackupReport): string => {
  const { files, ...rest } = manifest;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return `${JSON.stringify({ folder, ...rest, bytes, opened: isOpened, restoredTo })}\n`;
};

/** For people, in lines of a name and what is to be said of it. */
export const textOf = ({ folder, manifest, isOpened, restoredTo }: BackupReport): string => {
  const { deployment, log, vault, elsewhere, began, release } = manifest;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['backup', `${folder}, of ${began}, by release ${release}`],
    ['deployment', deployment],
    ['log', log && `${log.events.toString()} events up to position ${log.position}, each read`],
    ['vault', vault && `${vault.names.toString()} names`],
    ['sealed', isOpened ? 'every value and every key opens' : 'looked at, not opened: no master key was given'],
    ...elsewhere.map(({ part, where }) => [part, `not in here: it is in ${where}`] as const),
    ['master key', keyLine(manifest)],
    ['restored', restoredTo && `into ${restoredTo}: start the server on it`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => (text === undefined ? '' : `${name.padEnd(width)}  ${text}\n`)).join('');
};

const keyLine = ({ withKey, keyFile }: Manifest): string =>
  withKey
    ? 'in here: whoever has this backup can read everything in it'
    : `not in here: it was ${keyFile}. Nobody can read this backup without it, so keep a copy of it elsewhere`;
