import { parseArgs } from 'node:util';

type Defaults = Readonly<Record<string, number | string>>;
/** A number where the default is one. */
export type Options<D extends Defaults> = { readonly [Name in keyof D]: D[Name] extends number ? number : string };

/** From `--name value`. Throws with the list of options when it is given another one, or no number for a number. */
export const optionsFrom = <D extends Defaults>(defaults: D, args: readonly string[]): Options<D> => {
  const options = Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: 'string' as const }]));
  const { values } = parseArgs({ args: [...args], options, strict: true });
  const given: readonly (readonly [string, number | string])[] = Object.entries(defaults).map(([name, fallback]) => {
    const value = values[name];
    if (typeof value !== 'string') return [name, fallback];
    return [name, typeof fallback === 'number' ? numberOf(name, value) : value];
  });
  // Each option has the type of its default: that is what the loop above sees to.
  return Object.fromEntries(given) as Options<D>;
};

const numberOf = (name: string, value: string): number => {
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number) || number < 0) throw new Error(`--${name} ${value} is no number`);
  return number;
};
