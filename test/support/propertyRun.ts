type PropertyRun = { readonly numRuns: number; readonly seed?: number };

/**
 * How often a property is tried, and from which seed. A failure prints its seed; `PROPERTY_SEED` takes one to try the
 * same again, and `PROPERTY_RUNS` tries more often than every day's run does.
 */
export const propertyRun = (
  numRuns: number,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): PropertyRun => {
  const [seed, runs] = ['PROPERTY_SEED', 'PROPERTY_RUNS'].map((name) => wholeNumber(name, environment[name]));
  return { numRuns: runs ?? numRuns, ...(seed === undefined ? {} : { seed }) };
};

const wholeNumber = (name: string, text = ''): number | undefined => {
  if (text === '') return undefined;
  const number = Number(text);
  // Else a mistyped seed would quietly try another one, and find nothing.
  if (!Number.isSafeInteger(number)) throw new Error(`${name} must be a whole number, not ${text}`);
  return number;
};
