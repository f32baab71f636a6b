import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Position } from '../../../kernel/event.js';
import type { WorkflowCheckpoints } from '../../../kernel/ports/workflowCheckpoints.js';
import { makeFolder } from '../../dataFolder/makeFolder.js';
import { replaceText, textIn } from '../../dataFolder/wholeFile.js';

/** Wide enough for ever; always the same, so that a write leaves nothing of the one before. */
const digits = 20;
const form = new RegExp(`^\\d{${digits.toString()}}\\n$`);

/**
 * A small file for each workflow, of one line that is written over in one go. One process at a time: the lock of the data
 * folder sees to it, so fences are not compared.
 */
export const fileWorkflowCheckpoints = (folder: string): WorkflowCheckpoints => {
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

const pathOf = (folder: string, name: string): string => join(folder, encodeURIComponent(name));

const lineOf = (position: Position): string => `${position.toString().padStart(digits, '0')}\n`;

const positionIn = (text: string | undefined): Position | undefined =>
  text !== undefined && form.test(text) ? BigInt(text) : undefined;
