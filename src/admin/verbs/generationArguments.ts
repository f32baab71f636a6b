import { refused, type VerbOutcome } from '../doorProtocol.js';
import { GenerationRefused } from '../projections.js';

/** Arguments of several verbs about generations. */
export const generation = {
  kind: 'text',
  placeholder: 'name',
  unitsMax: 100,
  required: true,
} as const;

export const json = { kind: 'flag', says: 'one JSON object on one line' } as const;

/** `GenerationRefused` as the outcome of a verb. */
export const unlessRefused = async (work: () => Promise<VerbOutcome>): Promise<VerbOutcome> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof GenerationRefused) return refused('PREVENTED', error.message);
    throw error;
  }
};
