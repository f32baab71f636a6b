type OptionalKeys<T> = { [Key in keyof T]-?: undefined extends T[Key] ? Key : never }[keyof T];

/** The fields of `T`; those that may be undefined are optional and never undefined. */
export type Defined<T> = { readonly [Key in Exclude<keyof T, OptionalKeys<T>>]: T[Key] } & {
  readonly [Key in OptionalKeys<T>]?: Exclude<T[Key], undefined>;
};

/** The same object without the fields that are undefined: a stored or sent object has a field or does not. */
export const defined = <T extends object>(fields: T): Defined<T> => {
  const values = fields as Readonly<Record<string, unknown>>;
  const kept: Record<string, unknown> = {};
  for (const name of Object.keys(values)) if (values[name] !== undefined) kept[name] = values[name];
  // The fields that are left are those that the type names.
  return kept as Defined<T>;
};
