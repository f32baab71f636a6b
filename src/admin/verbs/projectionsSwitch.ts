import { done, type VerbOutcome } from '../doorProtocol.js';
import type { Switched } from '../projections.js';
import { declareVerb } from '../verb.js';
import { generation, json, unlessRefused } from './generationArguments.js';

const projectionUnitsMax = 100;

export const projectionsSwitch = declareVerb({
  name: 'projections switch',
  access: 'write',
  says: 'Let another generation of read models serve, at once where a server runs, else from the next start on.',
  arguments: {
    generation: { ...generation, says: 'its name; it must hold as much of the log as the one that serves' },
    json,
  },
  folders: 'environment',
  running: ({ projections }, given, call) => switched(() => projections.switchTo(given.generation, call), given),
  stopped: ({ projections }, given, call) => switched(() => projections.switchTo(given.generation, call), given),
});

export const projectionsBack = declareVerb({
  name: 'projections back',
  access: 'write',
  says: 'Let the generation of read models serve again that did so before the last switch.',
  arguments: {
    projection: {
      kind: 'text',
      says: 'of this projection of your own; default: of the server',
      placeholder: 'name',
      unitsMax: projectionUnitsMax,
    },
    json,
  },
  folders: 'environment',
  running: ({ projections }, given, call) => switched(() => projections.back(call, given.projection), given),
  stopped: ({ projections }, given, call) => switched(() => projections.back(call, given.projection), given),
});

const switched = (work: () => Promise<Switched>, given: { readonly json: boolean }): Promise<VerbOutcome> =>
  unlessRefused(async () => {
    const found = await work();
    const { generation: name, from } = found;
    const text = from === 'now' ? `${name} serves\n` : `${name} serves from the next start on\n`;
    return done(given.json ? `${JSON.stringify(found)}\n` : text);
  });
