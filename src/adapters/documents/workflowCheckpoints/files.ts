import { readdirSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Position } from '../../../kernel/event.js';
import type { WorkflowCheckpoints } from '../../../kernel/ports/workflowCheckpoints.js';
import { makeFolder } from '../../dataFolder/makeFolder.js';
import { isUnfinished, replaceText, textIn } from '../../dataFolder/wholeFile.js';

/** Wide enough for ever; always the same, so that a write leaves nothing of the one before. */
const digits = 20;
const form = new RegExp(`^\\d{${digits.toString()}}\\n$`);

/**
 * A small file for each workflow, of one line that is written over in one go. One process at a time: the lock of the data
 * folder sees to it, so fences are not compared. `state` is the folder of what belongs to the deployment.
 */
export const fileWorkflowCheckpoints = (state: string): WorkflowCheckpoints => {
  const folder = checkpointsIn(state);
  const known = new Map<string, Position>();
  const files = new Map<string, FileHandle>();
  const read = async (name: string): Promise<Position | undefined> => {
    const position = known.get(name) ?? positionIn(await textIn(pathOf(folder, name)));
    if (position !== undefined) known.set(name, position);
    return position;
  };
  const fileOf = async (name: string): Promise<FileHandle> => {
    const path = pathOf(folder, name);
    const file = files.get(name) ?? (await open(path, 'r+'));
    files.set(name, file);
    return file;
  };
  return {
    read,
    keep: async ({ projection: name, position }) => {
      const before = await read(name);
      if (before !== undefined && position <= before) return;
      if (before === undefined) {
        makeFolder(folder);
        await replaceText(pathOf(folder, name), lineOf(position));
      } else await (await fileOf(name)).write(lineOf(position), 0, 'latin1');
      known.set(name, position);
    },
    close: async () => {
      const open = [...files.values()];
      files.clear();
      for (const file of open) await file.close();
    },
  };
};

/** The files of all checkpoints, absolute. */
export const checkpointFilesIn = (state: string): readonly string[] => {
  const folder = checkpointsIn(state);
  return namesIn(folder)
    .filter((name) => !isUnfinished(name))
    .map((name) => join(folder, name));
};

/** Copies the checkpoints while their owner goes on. On the disk when resolved. */
export const copyCheckpoints = async (from: string, to: string): Promise<void> => {
  const target = checkpointsIn(to);
  makeFolder(target);
  for (const file of checkpointFilesIn(from)) {
    const position = await steadyPosition(file);
    if (position !== undefined) await replaceText(join(target, basename(file)), lineOf(position));
  }
};

/** The name of each workflow that has a checkpoint, with its place. Reads what `copyCheckpoints` has written. */
export const copiedCheckpoints = async (state: string): Promise<ReadonlyMap<string, Position>> => {
  const found = new Map<string, Position>();
  for (const file of checkpointFilesIn(state)) {
    const position = positionIn(await textIn(file));
    if (position !== undefined) found.set(decodeURIComponent(basename(file)), position);
  }
  return found;
};

/** A line is written over in place, and a read in the middle of that might see half of each: two that agree saw neither. */
const steadyPosition = async (file: string): Promise<Position | undefined> => {
  let [before, now] = [await textIn(file), await textIn(file)];
  while (before !== now) [before, now] = [now, await textIn(file)];
  return positionIn(now);
};

const namesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
};

const checkpointsIn = (state: string): string => join(state, 'workflows');

const pathOf = (folder: string, name: string): string => join(folder, encodeURIComponent(name));

const lineOf = (position: Position): string => `${position.toString().padStart(digits, '0')}\n`;

const positionIn = (text: string | undefined): Position | undefined =>
  text !== undefined && form.test(text) ? BigInt(text) : undefined;
