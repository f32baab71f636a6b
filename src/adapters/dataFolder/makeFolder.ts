import { existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { checkLinks } from './links.js';

/**
 * Makes the folder for its owner alone, and the folders on the way to it. Throws `DanglingLink`, or the error of the
 * system, which names the folder. `mkdirSync` with `recursive` never ends where a parent says that it is there and takes no folders, as
 * `/proc` does.
 */
export const makeFolder = (folder: string): void => {
  const path = resolve(folder);
  // For a file in the place of a folder the system's own error says so.
  if (existsSync(path) && existsSync(`${path}/.`)) return;
  checkLinks(path);
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have made the folder meanwhile.
    if (!existsSync(`${path}/.`)) throw error;
  }
};
