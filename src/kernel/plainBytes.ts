import type { Plain } from './ports/documentStore.js';

const scalarBytes = 8;

/**
 * About as many bytes as the value takes where it is stored: texts and bytes by their length, all else by the number of
 * values. Costs less than decoding the value did.
 */
export const plainBytes = (value: Plain): number => {
  if (typeof value === 'string') return value.length + 1;
  if (typeof value !== 'object' || value === null) return scalarBytes;
  if (value instanceof Uint8Array) return value.length;
  let bytes = scalarBytes;
  for (const inner of Object.values(value)) bytes += inner === undefined ? 0 : plainBytes(inner);
  return bytes;
};
