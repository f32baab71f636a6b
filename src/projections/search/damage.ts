/** Errors that come of the bytes alone, and would come again however often those are read. */
const damages: ReadonlySet<string> = new Set(['SealBroken', 'Misshapen', 'SyntaxError', 'RangeError', 'TypeError']);

export const isDamage = (error: unknown): boolean => error instanceof Error && damages.has(error.name);
