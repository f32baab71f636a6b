type OptionalKeys<T> = { [Key in keyof T]-?: undefined extends T[Key] ? Key : never }[keyof T];

/** The fields of `T`; those that may be undefined are optional and never undefined. */
export type Defined<T> = { readonly [Key in Exclude<keyof T, OptionalKeys<T>>]: T[Key] } & {
  readonly [Key in OptionalKeys<T>]?: Exclude<T[Key], undefined>;
};

/** The same object without the fields that are undefined: a stored or sent object has a field or does not. */
export const defined = <T extends object>(fields: T): Defined<T> =>
  // The fields that are left are those that the type names.
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
