import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeFolder } from './removeFolder.js';
import type { Cleanup } from './serverProcess.js';

/** A folder of the test's own. */
export const freshFolder = (t: Cleanup): string => {
  const folder = mkdtempSync(join(tmpdir(), 'osmium-folder-'));
  t.after(() => {
    removeFolder(folder);
  });
  return folder;
};

/** What the former release wrote down beside the folder: its read models, and how the people in it come back. */
export type Former = {
  readonly dataDir: string;
  readonly tokens: { readonly ada: string; readonly ben: string };
  readonly digests: Readonly<Record<string, string>>;
};

/** A data folder that the release before 0.1.0 has written, of before deployments had names. */
export const formerFolder = (t: Cleanup): Former => {
  const folder = freshFolder(t);
  execFileSync('tar', ['-xzf', 'test/fixtures/deployments/0.1.0-before.tgz', '-C', folder]);
  const dataDir = join(folder, '0.1.0-before');
  // The release's own tests wrote it so.
  const about = JSON.parse(readFileSync(join(dataDir, 'about.json'), 'utf8')) as Omit<Former, 'dataDir'>;
  return { ...about, dataDir };
};

/** Every file below the folder with its size: what a refused start must leave as it was. */
export const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    // A reader's table of LMDB is no content, nor are sockets.
    .filter((file) => !/(lock(\.mdb)?|admin\.sock)$/.test(file))
    .map((file) => `${file} ${statSync(join(folder, file)).size.toString()}`)
    .sort();

export const emptied = (folder: string): void => {
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
};
