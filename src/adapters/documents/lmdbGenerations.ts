import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import {
  GenerationInUse,
  generationLayout,
  NewerLayout,
  type Generation,
  type Generations,
} from '../../kernel/ports/generations.js';
import { parsedJson } from '../../kernel/json.js';
import { hasLmdbFile } from '../dataFolder/lmdbFile.js';
import { FolderInUse, lockFolder, type FolderLock } from '../dataFolder/lock.js';
import { makeFolder } from '../dataFolder/makeFolder.js';
import { replaceText, syncFolder, textIn } from '../dataFolder/wholeFile.js';
import { lmdbDocuments } from './lmdb.js';
import { generationNamed, inOrder, nameOf } from './generationNames.js';

export type LmdbGenerationsOptions = {
  /** Has a folder for each generation, and the one file of releases without generations. */
  readonly documents: string;
  /** Says which generation serves. Releases without generations do not know the folder. */
  readonly state: string;
};

/**
 * Generations in folders. The types of a generation stand in a file beside its documents, so deleting the folder of
 * documents deletes all that was known of them.
 */
export const lmdbGenerations = ({ documents: root, state }: LmdbGenerationsOptions): Generations => {
  const folderOf = ({ name }: Pick<Generation, 'name'>): string => join(root, name);
  const pointer = (set: string): string => join(state, `serving.${set}`);
  // A file of its own, because older releases take all of the other one for a name.
  const pointerBefore = (set: string): string => join(state, `served-before.${set}`);
  const known = <T>(work: () => Promise<T>): Promise<T> => checkLayout(state).then(work);
  return {
    list: () => known(() => listIn(root)),
    begin: ({ name: set, types }, number) =>
      known(async () => {
        await layOut(state);
        makeFolder(root);
        return made(root, { name: nameOf(set, number), set, number, types });
      }),
    serving: (set) => known(async () => (await textIn(pointer(set)))?.trim()),
    serve: ({ set, name }, before) =>
      known(async () => {
        await layOut(state);
        if (before !== undefined) await replaceText(pointerBefore(set), `${before}\n`);
        await replaceText(pointer(set), `${name}\n`);
      }),
    servedBefore: (set) => known(async () => (await textIn(pointerBefore(set)))?.trim()),
    documents: (generation) => heldDocuments(folderOf(generation), generation.name),
    // Threads of one process share the environment.
    documentsOfThread: (generation) => lmdbDocuments({ folder: folderOf(generation), writers: 'several' }),
    drop: (generation) =>
      known(async () => {
        const lock = await held(folderOf(generation), generation.name);
        const aside = join(root, `${generation.name}.${randomUUID().slice(0, 8)}${droppedEnd}`);
        try {
          await rename(folderOf(generation), aside);
        } finally {
          await lock.release();
        }
        await removeDropped(root);
      }),
    former: {
      isThere: async () => hasLmdbFile(join(root, formerFile)),
      documents: () => lmdbDocuments({ folder: root }),
      drop: async () => {
        for (const name of [formerFile, `${formerFile}-lock`]) await rm(join(root, name), { force: true });
      },
    },
  };
};

/** The names of folders that may each have generations of a kind of their own; none where there is no such folder. */
export const lmdbGenerationKinds = async (folder: string): Promise<readonly string[]> => {
  const kinds: string[] = [];
  for (const name of await namesIn(folder)) {
    if ((await listIn(join(folder, name))).length > 0) kinds.push(name);
  }
  return kinds.sort();
};

const formerFile = 'documents.mdb';
const recordFile = 'generation.json';
const layoutFile = 'layout';
const droppedEnd = '.dropped';
const removalRetriesMax = 5;

const checkLayout = async (state: string): Promise<void> => {
  const layout = (await textIn(join(state, layoutFile)))?.trim();
  if (layout !== undefined && layout !== generationLayout) throw new NewerLayout(state, layout);
};

const layOut = async (state: string): Promise<void> => {
  makeFolder(state);
  const file = join(state, layoutFile);
  if ((await textIn(file)) === undefined) await replaceText(file, `${generationLayout}\n`);
};

const listIn = async (root: string): Promise<readonly Generation[]> => {
  const generations: Generation[] = [];
  for (const name of await namesIn(root)) {
    const generation = generationNamed(name, []);
    const types = generation && typesIn(await textIn(join(root, name, recordFile)));
    if (generation !== undefined && types !== undefined) generations.push({ ...generation, types });
  }
  return inOrder(generations);
};

const namesIn = async (root: string): Promise<readonly string[]> => {
  try {
    return await readdir(root);
  } catch (error) {
    if (error instanceof Error && 'code' in error && absent.has(String(error.code))) return [];
    throw error;
  }
};

/** Codes of the system for what is no folder. */
const absent: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR']);

/** Undefined for a folder that somebody has not finished making. */
const typesIn = (record: string | undefined): readonly string[] | undefined => {
  if (record === undefined) return undefined;
  const parsed: unknown = parsedJson(record);
  const types = typeof parsed === 'object' && parsed !== null && 'types' in parsed ? parsed.types : undefined;
  return Array.isArray(types) ? types.map(String) : [];
};

/** Made aside and moved into its place, which only one of several can. */
const made = async (root: string, generation: Generation): Promise<Generation | undefined> => {
  const [folder, next] = [join(root, generation.name), join(root, `new.${randomUUID().slice(0, 8)}`)];
  makeFolder(next);
  await replaceText(join(next, recordFile), `${JSON.stringify({ types: generation.types })}\n`);
  try {
    await rename(next, folder);
  } catch (error) {
    await rm(next, { recursive: true, force: true });
    if (error instanceof Error && 'code' in error && inTheWay.has(String(error.code))) return undefined;
    throw error;
  }
  await syncFolder(root);
  return generation;
};

/** Codes of the system: the name is taken by a folder that has something in it. Windows says it differently. */
const inTheWay: ReadonlySet<string> = new Set(['ENOTEMPTY', 'EEXIST', 'EPERM']);

/** Also those of a drop that was cut short. Another process may remove the same at the same time. */
const removeDropped = async (root: string): Promise<void> => {
  const remains = (await namesIn(root)).filter((name) => name.endsWith(droppedEnd));
  for (const name of remains)
    await rm(join(root, name), { recursive: true, force: true, maxRetries: removalRetriesMax });
};

const held = async (folder: string, name: string): Promise<FolderLock> => {
  try {
    return await lockFolder(folder);
  } catch (error) {
    throw error instanceof FolderInUse ? new GenerationInUse(name, `process ${error.pid}`) : error;
  }
};

const isMade = async (folder: string): Promise<boolean> => (await textIn(join(folder, recordFile))) !== undefined;

const dropped = (name: string): GenerationInUse => new GenerationInUse(name, 'somebody who has just dropped it');

/** LMDB itself would let two processes write, each of which believes that it knows the last state. */
const heldDocuments = (folder: string, name: string): DocumentStore => {
  const documents = lmdbDocuments({ folder });
  let lock: FolderLock | undefined;
  const release = async (): Promise<void> => {
    const releasing = lock;
    lock = undefined;
    await releasing?.release();
  };
  return {
    ...documents,
    open: async (specs) => {
      if (!(await isMade(folder))) throw dropped(name);
      lock = await held(folder, name);
      try {
        // A drop may have been before the lock, which then made the folder anew.
        if (!(await isMade(folder))) throw dropped(name);
        await removeDropped(dirname(folder));
        await documents.open(specs);
      } catch (error) {
        await release();
        if (!(await isMade(folder))) await rmdir(folder).catch(() => undefined);
        throw error;
      }
    },
    close: async () => {
      await documents.close();
      await release();
    },
  };
};
