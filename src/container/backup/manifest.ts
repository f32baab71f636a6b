import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { syncPath } from '../../adapters/dataFolder/sync.js';
import { backupPartNames, BackupRefused } from '../../admin/backups.js';
import { parsedJson } from '../../kernel/json.js';

/** Written last: without it a folder is no backup. */
export const manifestName = 'manifest.json';

/** Of the layout of backups. Another one is refused. */
const format = 1;

const partNames = z.array(z.enum(backupPartNames)).readonly();

/** `TakenBackup`, as a server tells it to the command. */
export const takenSchema = z.object({
  release: z.string(),
  began: z.string(),
  ended: z.string(),
  parts: partNames,
  elsewhere: z.array(z.object({ part: z.enum(['log', 'vault', 'files']), where: z.string() })).readonly(),
  keyFile: z.string(),
});

const manifestSchema = takenSchema.extend({
  format: z.literal(format),
  deployment: z.string().optional(),
  log: z.object({ events: z.number().int(), position: z.string() }).optional(),
  vault: z.object({ names: z.number().int() }).optional(),
  /** The master key is in the backup. */
  withKey: z.boolean(),
  files: z.array(z.object({ path: z.string(), bytes: z.number().int().nonnegative(), sha256: z.string() })).readonly(),
});

/** The description of a backup, with every file that it consists of. */
export type Manifest = z.infer<typeof manifestSchema>;
export type BackupFile = Manifest['files'][number];

export const withFormat = (manifest: Omit<Manifest, 'format'>): Manifest => ({ ...manifest, format });

/** On the disk when it returns, as a whole. */
export const writeManifest = (folder: string, manifest: Manifest): void => {
  const [path, unfinished] = [join(folder, manifestName), join(folder, `${manifestName}.part`)];
  writeFileSync(unfinished, `${JSON.stringify(manifest, undefined, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(unfinished, path);
  syncPath(folder);
};

/** Throws `BackupRefused`. */
export const manifestIn = (folder: string): Manifest => {
  const path = join(folder, manifestName);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    throw new BackupRefused(`${folder} is no backup, or one that was cut short: it has no ${manifestName}`);
  }
  const read = manifestSchema.safeParse(parsed(readFileSync(path, 'utf8')));
  if (!read.success) throw new BackupRefused(`${path} is damaged, or of another release`);
  const outside = read.data.files.find((file) => !isBelow(folder, file.path));
  if (outside !== undefined) throw new BackupRefused(`${path} names a file outside of the backup: ${outside.path}`);
  return read.data;
};

const parsed = (text: string): unknown => {
  try {
    return parsedJson(text);
  } catch {
    return undefined;
  }
};

const isBelow = (folder: string, path: string): boolean => {
  const inside = relative(folder, join(folder, path));
  return inside === path && inside !== '' && !inside.startsWith('..');
};

/** Reads a file of the backup whole. */
export const describedFile = async (folder: string, path: string): Promise<BackupFile> => {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(join(folder, path)) as AsyncIterable<Buffer>) {
    // No encoding was asked for.
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { path, bytes, sha256: hash.digest('hex') };
};

/** Throws `BackupRefused` where the file is not as the manifest has it. */
export const checkFile = (folder: string, wanted: BackupFile, found: BackupFile): void => {
  if (found.bytes === wanted.bytes && found.sha256 === wanted.sha256) return;
  const why = found.bytes === wanted.bytes ? 'its bytes are others' : `it has ${found.bytes.toString()} bytes`;
  throw new BackupRefused(`${join(folder, wanted.path)} is not what was backed up: ${why}`);
};
