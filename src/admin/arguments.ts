/** One argument of a verb, as an option of the command line and as a field of a request. */
export type ArgumentSpec =
  | { readonly kind: 'flag'; readonly says: string; readonly required?: true }
  | TextSpec
  | { readonly kind: 'number'; readonly says: string; readonly max: number; readonly required?: true };

type TextSpec = {
  readonly kind: 'text';
  readonly says: string;
  /** In the help of the command line: `<log>`. */
  readonly placeholder: string;
  readonly unitsMax: number;
  readonly required?: true;
  /** On the command line it stands by itself, without the name of an option. */
  readonly isOperand?: true;
  /** The command line makes a whole path of it, because a server has another working folder. */
  readonly isPath?: true;
  /** Gives a sentence for a text of another form. */
  readonly objection?: (text: string) => string | undefined;
};

/** By the name of the field, which is also that of the option: `giveUpKeys` is `--give-up-keys`. */
export type ArgumentSpecs = Readonly<Record<string, ArgumentSpec>>;

/** The values that a verb is given. */
export type ArgumentsOf<Specs extends ArgumentSpecs> = {
  readonly [Name in keyof Specs]: ArgumentValue<Specs[Name]>;
};
type ArgumentValue<Spec extends ArgumentSpec> = Spec['kind'] extends 'flag' ? boolean : Given<Spec>;
type Given<Spec extends ArgumentSpec> =
  (Spec['kind'] extends 'text' ? string : number) | (Spec extends { readonly required: true } ? never : undefined);

/** The values, or a sentence that says which argument is wrong and how. */
export type CheckedArguments<Specs extends ArgumentSpecs> =
  { readonly values: ArgumentsOf<Specs> } | { readonly objection: string };

export const checkedArguments = <Specs extends ArgumentSpecs>(
  specs: Specs,
  given: Readonly<Record<string, unknown>>,
): CheckedArguments<Specs> => {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(specs, name));
  if (unknown !== undefined) return { objection: `there is no argument "${unknown.slice(0, shownUnitsMax)}"` };
  for (const [name, spec] of Object.entries(specs)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    const objection = value === undefined ? missing(spec) : objectionTo(spec, value);
    if (objection !== undefined) return { objection: `${name}: ${objection}` };
  }
  const values = Object.entries(specs).map(([name, { kind }]) => [name, given[name] ?? absent[kind]]);
  // Each value was just compared with its row of the table.
  return { values: Object.fromEntries(values) as ArgumentsOf<Specs> };
};

const shownUnitsMax = 40;

const absent = { flag: false, text: undefined, number: undefined } as const;

const missing = ({ required }: ArgumentSpec): string | undefined => (required === true ? 'is missing' : undefined);

/** The sentence against a value, by its kind. */
export const objectionTo = (spec: ArgumentSpec, value: unknown): string | undefined => {
  if (spec.kind === 'flag') return flagObjection(spec, value);
  if (spec.kind === 'number') {
    const isInRange = Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= spec.max;
    return isInRange ? undefined : `must be a whole number from 0 to ${spec.max.toString()}`;
  }
  if (typeof value !== 'string') return 'must be a text';
  if (value.length > spec.unitsMax) return `must have at most ${spec.unitsMax.toString()} UTF-16 units`;
  return spec.objection?.(value);
};

const flagObjection = ({ required }: Pick<ArgumentSpec, 'required'>, value: unknown): string | undefined => {
  if (typeof value !== 'boolean') return 'must be true or false';
  return required === true && !value ? 'must be given' : undefined;
};
