import type { Personal } from './personal.js';
import { SealedField } from './sealed.js';

/** The mark in the place of personal content of which a key has been destroyed. Plain data, so that documents can hold it. */
export const shredded = { shredded: true } as const;
export type Shredded = { readonly shredded: true };
export const isShredded = (value: unknown): value is Shredded =>
  typeof value === 'object' && value !== null && 'shredded' in value;

/** The content, for deciders and for readers of documents. Folds carry it unopened. Throws when it is still sealed. */
export const opened = <T>(value: Personal<T>): T | Shredded => {
  if (value instanceof SealedField)
    throw new Error(`${value.name} of ${value.value.type} was read without being opened`);
  // The codec puts either the content or the mark in this place.
  return value as unknown as T | Shredded;
};

/** The content, or `otherwise` in the place of shredded content. */
export const unless = <T, U>(value: Personal<T>, otherwise: U): T | U => {
  const found = opened(value);
  return isShredded(found) ? otherwise : found;
};
