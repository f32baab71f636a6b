import { openDocuments } from '../../engines.js';
import type { Position } from '../../kernel/event.js';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import type { Generation, Generations } from '../../kernel/ports/generations.js';
import type { DeclaredReadModels } from '../../projections/registry.js';

export type OwnDocumentsNeeds = {
  readonly generations: Pick<Generations, 'documents'>;
  readonly collections: DeclaredReadModels['collections'];
  readonly checkpoints: readonly string[];
  /** Of the deployment, and of the keys that it has: documents of another name are worth nothing. */
  readonly name: string;
  /** The end of the log. */
  readonly end: () => Promise<Position>;
  /** Documents of another log or vault were found, and others are built anew. */
  readonly onForeign: (generation: string) => void;
  /** The generation to be taken. Undefined where another process makes it just now. */
  readonly wanted: () => Promise<Generation | undefined>;
  /** Begins the one after a generation that is foreign, unless another process has begun it. */
  readonly beginAfter: (foreign: Generation) => Promise<unknown>;
};

export type OwnDocuments = { readonly generation: Generation; readonly store: DocumentStore };

/** More often than this no generation is found foreign at a start, unless something else is wrong. */
const begunMax = 5;

/**
 * The wanted generation, open. One of another deployment, of before keys were given up, or of a log that is gone is left
 * as it is, and the next one begun: of several nodes that find that at once, one begins it and the others take it. So
 * nobody drops what another node has just begun.
 */
export const ownDocuments = async (needs: OwnDocumentsNeeds): Promise<OwnDocuments> => {
  const { generations, collections, onForeign, wanted, beginAfter } = needs;
  for (let begun = 0; begun < begunMax; begun += 1) {
    const generation = await wanted();
    if (generation === undefined) continue;
    const store = await openDocuments(generations.documents(generation), collections);
    if (await isOwn(needs, store)) return { generation, store };
    await store.close();
    onForeign(generation.name);
    await beginAfter(generation);
  }
  throw new Error('no generation of the documents belongs to this deployment');
};

/** Takes an empty one. Closes the store when it fails. */
const isOwn = async (needs: OwnDocumentsNeeds, store: DocumentStore): Promise<boolean> => {
  try {
    const owner = await store.owner();
    const isNamed = owner.status === 'empty' || (owner.status === 'named' && owner.deployment === needs.name);
    if (!isNamed || (await isAhead(needs, store))) return false;
    await store.belongTo(needs.name);
    return true;
  } catch (error) {
    await store.close();
    throw error;
  }
};

/** The end is read last, because other nodes go on appending and folding meanwhile. */
const isAhead = async (
  { checkpoints, end }: Pick<OwnDocumentsNeeds, 'checkpoints' | 'end'>,
  store: Pick<DocumentStore, 'checkpoint'>,
): Promise<boolean> => {
  const reached: Position[] = [];
  for (const name of checkpoints) reached.push(await store.checkpoint(name));
  const ended = await end();
  return reached.some((position) => position > ended);
};
