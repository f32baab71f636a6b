import { done, refused } from '../doorProtocol.js';
import { declareVerb } from '../verb.js';

export const projectionsSwitch = declareVerb({
  name: 'projections switch',
  access: 'write',
  says: 'Choose the generation of read models that serves from the next start on. Stop the server first.',
  arguments: {
    generation: {
      kind: 'text',
      says: 'its name; it must hold as much of the log as the one that serves',
      placeholder: 'name',
      unitsMax: 100,
      required: true,
    },
  },
  folders: 'environment',
  running: 'a server serves its generation for as long as it runs: stop it first',
  stopped: async ({ choose }, { generation }) => {
    const objection = await choose(generation);
    return objection === undefined
      ? done(`${generation} serves from the next start on\n`)
      : refused('BAD_ARGUMENTS', objection);
  },
});
