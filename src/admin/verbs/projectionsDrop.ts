import { done, refused, type VerbOutcome } from '../doorProtocol.js';
import type { ProjectionsAdmin } from '../projections.js';
import { declareVerb } from '../verb.js';

const dropped = async ({ drop }: ProjectionsAdmin, generation: string): Promise<VerbOutcome> => {
  const objection = await drop(generation);
  return objection === undefined ? done(`${generation} is gone\n`) : refused('BAD_ARGUMENTS', objection);
};

export const projectionsDrop = declareVerb({
  name: 'projections drop',
  access: 'write',
  says: 'Delete a generation of read models for good. The one that serves is refused.',
  arguments: {
    generation: {
      kind: 'text',
      says: 'its name, or "former" for the documents of a release without generations',
      placeholder: 'name',
      unitsMax: 100,
      required: true,
    },
  },
  folders: 'environment',
  running: ({ projections }, { generation }) => dropped(projections, generation),
  stopped: ({ projections }, { generation }) => dropped(projections, generation),
});
