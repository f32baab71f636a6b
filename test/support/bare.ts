import type { Shredded } from '../../src/kernel/opened.js';
import type { Personal } from '../../src/kernel/personal.js';

type Atom = string | number | bigint | boolean | undefined | null;

/** An event or document with its personal content in the open, as a test writes it down. */
export type Bare<T> =
  T extends Personal<infer Content>
    ? Content | Shredded
    : T extends Atom
      ? T
      : { readonly [Field in keyof T]: Bare<T[Field]> };

/** The type that the code under test asks for: at run time personal content is open there too. */
export const asPersonal = <T>(bare: Bare<T>): T => bare as unknown as T;
