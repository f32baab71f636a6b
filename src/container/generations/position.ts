import type { Position } from '../../kernel/event.js';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import { checkpointOf } from '../../projections/progress/checkpoints.js';
import type { DeclaredReadModels } from '../../projections/registry.js';

/** The lowest checkpoint of the read models. Opens the documents, which are of their set, and closes them. */
export const positionOf = async (
  documents: DocumentStore,
  { projections, collections }: DeclaredReadModels,
): Promise<Position> => {
  try {
    await documents.open(collections);
    const positions: Position[] = [];
    for (const one of projections) positions.push(await documents.checkpoint(checkpointOf(one)));
    return positions.reduce((lowest, position) => (position < lowest ? position : lowest));
  } finally {
    await documents.close();
  }
};
