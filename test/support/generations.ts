import assert from 'node:assert/strict';
import { join } from 'node:path';
import { lmdbGenerations } from '../../src/adapters/documents/lmdbGenerations.js';
import { mongoGenerations } from '../../src/adapters/documents/mongoGenerations.js';
import { setOf } from '../../src/container/generations/set.js';
import { foldersIn } from '../../src/engines.js';
import { servedGeneration } from '../../src/kernel/generations.js';
import type { DocumentStore } from '../../src/kernel/ports/documentStore.js';
import type { Generations } from '../../src/kernel/ports/generations.js';
import { readModels } from '../../src/projections/registry.js';

/** The set of this release. */
export const ownSet = setOf(readModels);

export const generationsIn = (dataDir: string): Generations => lmdbGenerations(foldersIn(dataDir));
export const generationsAt = (url: string): Generations => mongoGenerations({ url });

const servedOf = async (generations: Generations) => {
  const served = await servedGeneration(generations, ownSet.name);
  assert.ok(served, 'no generation serves');
  return served;
};

/** Those that a server of this release serves, not open. */
export const servedDocuments = async (generations: Generations): Promise<DocumentStore> =>
  generations.documents(await servedOf(generations));

/** Where a server of this release keeps the documents that it serves. */
export const servedFile = async (dataDir: string): Promise<string> =>
  join(foldersIn(dataDir).documents, (await servedOf(generationsIn(dataDir))).name, 'documents.mdb');
