import { defined } from '../../kernel/defined.js';
import { done, refused } from '../doorProtocol.js';
import { declareVerb } from '../verb.js';
import { unlessRefused } from './generationArguments.js';

const limitDefault = 1_000;
export const readDocumentsMax = 10_000;
const nameUnitsMax = 100;
const valueUnitsMax = 1_000;

export const projectionsRead = declareVerb({
  name: 'projections read',
  access: 'read',
  says: 'Print documents of a projection of your own, one JSON object per line.',
  arguments: {
    projection: {
      kind: 'text',
      says: 'the name of the projection',
      placeholder: 'projection',
      unitsMax: nameUnitsMax,
      required: true,
      isOperand: true,
    },
    type: { kind: 'text', says: 'of documents, where it has several', placeholder: 'name', unitsMax: nameUnitsMax },
    key: { kind: 'text', says: 'the document of this key alone', placeholder: 'key', unitsMax: valueUnitsMax },
    index: {
      kind: 'text',
      says: 'those that an index has: byDay=2026-11-30, or byDay=["2026-11-30",7] for several elements and numbers',
      placeholder: 'name=value',
      unitsMax: valueUnitsMax,
    },
    after: { kind: 'text', says: 'only those behind this key', placeholder: 'key', unitsMax: valueUnitsMax },
    limit: { kind: 'number', says: 'how many; default 1000', max: readDocumentsMax },
  },
  folders: 'environment',
  running: async ({ phase, readOwn }, { projection, type, key, index, after, limit = limitDefault }, call) => {
    if (phase() !== 'running') return refused('NOT_READY', `the server is ${phase()}`);
    if ([key, index, after].filter((one) => one !== undefined).length > 1)
      return refused('BAD_ARGUMENTS', 'key, index and after: one of them is allowed');
    if (limit < 1)
      return refused('BAD_ARGUMENTS', `limit: must be a whole number from 1 to ${readDocumentsMax.toString()}`);
    return unlessRefused(async () => {
      const { text, more } = await readOwn({ projection, limit, ...defined({ type, key, index, after }) }, call);
      if (more !== undefined && index !== undefined) call.progress('the index may have more: limit is too low for it');
      else if (more !== undefined && key === undefined) call.progress(`there may be more behind ${more}`);
      return done(text);
    });
  },
  stopped: 'the running server reads the documents of your projections: start it',
});
