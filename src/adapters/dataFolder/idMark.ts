import { closeSync, fdatasyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Millis } from '../../kernel/ids.js';
import type { IdMark } from '../../kernel/ports/leases.js';
import { syncPath } from './sync.js';

/** Wide enough for ever; always the same, so that a write leaves nothing of the one before. */
const digits = 16;
const form = new RegExp(`^\\d{${digits.toString()}}\\n$`);

/**
 * The mark in a small file, which one process at a time has: the lock of the data folder sees to it. One line is written
 * over in one go, and is on the disk when a call returns. Throws when there is a file that cannot be read.
 */
export const fileIdMark = (path: string): Required<IdMark> => {
  let mark = read(path);
  const raiseNow = (to: Millis): void => {
    if (mark !== undefined && to <= mark) return;
    write(path, to);
    mark = to;
  };
  return {
    read: () => Promise.resolve(mark),
    // Async, so that an error of the disk is a rejection.
    raise: async (to) => {
      raiseNow(to);
    },
    raiseNow,
  };
};

const read = (path: string): Millis | undefined => {
  try {
    const text = readFileSync(path, 'latin1');
    return form.test(text) ? (Number(text) as Millis) : undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
};

const write = (path: string, to: Millis): void => {
  const file = opened(path);
  try {
    writeSync(file, `${to.toString().padStart(digits, '0')}\n`, 0, 'latin1');
    fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
};

const opened = (path: string): number => {
  try {
    return openSync(path, 'r+');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    return made(path);
  }
};

/** The name of a new file is on the disk once its folder is. */
const made = (path: string): number => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const file = openSync(path, 'w+', 0o600);
  syncPath(dirname(path));
  return file;
};
