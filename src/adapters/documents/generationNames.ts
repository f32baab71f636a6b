import type { Generation } from '../../kernel/ports/generations.js';

export const nameOf = (set: string, number: number): string => `${set}_${number.toString()}`;

const form = /^([0-9a-f]{12})_([1-9]\d{0,5})$/;

/** Undefined for a name that no generation has. */
export const generationNamed = (name: string, types: readonly string[]): Generation | undefined => {
  const [, set, number] = form.exec(name) ?? [];
  return set === undefined ? undefined : { name, set, number: Number(number), types };
};

export const inOrder = (generations: readonly Generation[]): readonly Generation[] =>
  generations.toSorted((one, other) =>
    one.set === other.set ? one.number - other.number : one.set < other.set ? -1 : 1,
  );
