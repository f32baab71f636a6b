import { createHash } from 'node:crypto';
import type { GenerationSet } from '../../kernel/ports/generations.js';
import { checkpointOf } from '../../projections/progress/checkpoints.js';
import type { DeclaredReadModels } from '../../projections/registry.js';

const nameDigits = 12;

/** The same for all releases whose documents are the same: types, versions, indexes, and which of them share a checkpoint. */
export const setOf = ({ projections, collections }: DeclaredReadModels): GenerationSet => {
  const lines = [
    ...projections.map(checkpointOf),
    ...collections.map(({ name, indexes }) => `${name}: ${[...indexes].sort().join(' ')}`),
  ];
  const name = createHash('sha256').update(lines.sort().join('\n')).digest('hex').slice(0, nameDigits);
  return { name, types: collections.map((one) => one.name).sort() };
};
