import type { Personal } from './personal.js';

/** The mark in the place of personal content of which a key has been destroyed. Plain data, so that documents can hold it. */
export const shredded = { shredded: true } as const;
export type Shredded = { readonly shredded: true };
export const isShredded = (value: unknown): value is Shredded =>
  typeof value === 'object' && value !== null && 'shredded' in value;

/** The content, for rules and for those who read documents. Folds carry it unopened. */
export const opened = <T>(value: Personal<T>): T | Shredded =>
  // The codec puts in this place either what was sealed, or the mark.
  value as unknown as T | Shredded;

/** The content, or `otherwise` in the place of shredded content. */
export const unless = <T, U>(value: Personal<T>, otherwise: U): T | U => {
  const found = opened(value);
  return isShredded(found) ? otherwise : found;
};
