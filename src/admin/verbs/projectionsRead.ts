import { defined } from '../../kernel/defined.js';
import { done, refused, type VerbOutcome } from '../doorProtocol.js';
import type { ReadWish } from '../projections.js';
import { declareVerb, type RunningServer } from '../verb.js';
import type { VerbCall } from '../verbCall.js';
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
  running: async ({ phase, readOwn }, given, call) =>
    phase() === 'running' ? printed(readOwn, given, call) : refused('NOT_READY', `the server is ${phase()}`),
  stopped: ({ readOwn }, given, call) => printed(readOwn, given, call),
});

type Given = Pick<ReadWish, 'projection'> &
  Readonly<Record<'type' | 'key' | 'index' | 'after', string | undefined>> & { readonly limit: number | undefined };

const printed = async (
  readOwn: RunningServer['readOwn'],
  { projection, type, key, index, after, limit = limitDefault }: Given,
  call: VerbCall,
): Promise<VerbOutcome> => {
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
};
