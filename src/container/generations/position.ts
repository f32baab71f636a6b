import type { Position } from '../../kernel/event.js';
import type { DocumentStore } from '../../kernel/ports/documentStore.js';
import { checkpointOf } from '../../projections/progress/checkpoints.js';
import type { DeclaredReadModels } from '../../projections/registry.js';

/** The lowest checkpoint of the read models. The documents are not open here, and are closed. */
export const positionOf = async (
  documents: DocumentStore,
  { projections }: Pick<DeclaredReadModels, 'projections'>,
): Promise<Position> => {
  try {
    const positions: Position[] = [];
    for (const one of projections) positions.push(await documents.checkpoint(checkpointOf(one)));
    return positions.reduce((lowest, position) => (position < lowest ? position : lowest));
  } finally {
    await documents.close();
  }
};
