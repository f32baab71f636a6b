import type { Plain } from '../../kernel/ports/documentStore.js';
import { words } from './words.js';

/**
 * Numbers for the texts that the sealed values of one document refer to. Most are words, or follow from the document:
 * its stream, and the texts and ids in it, such as the chat and the author of a message. Only the others are stored.
 */
const fromDocument = 0x4000;
const spelledOut = 0x8000;
/** Of each of the three kinds. */
export const textsMax = 0x4000;

/** Texts that the reader of a document knows as well as its writer did. */
export type KnownTexts = readonly string[];

/** `document` is as it is stored, so that it gives the same texts when it is read. */
export const knownTexts = (document: Plain, streams: readonly string[]): KnownTexts => {
  const texts = [...streams];
  if (typeof document !== 'object' || document === null) return texts;
  for (const value of Object.values(document)) {
    if (typeof value === 'string') texts.push(value);
    else if (typeof value === 'bigint') texts.push(value.toString());
  }
  return texts;
};

const wordNumbers = new Map(words.map((word, number) => [word, number]));

export type Numbering = { readonly spelled: readonly string[]; readonly numberOf: (text: string) => number };

/** Gives numbers to texts, and notes those that have to be stored. */
export const numbering = (known: KnownTexts): Numbering => {
  const spelled: string[] = [];
  const numbers = new Map<string, number>();
  const found = (text: string): number => {
    const word = wordNumbers.get(text);
    if (word !== undefined) return word;
    const place = known.indexOf(text);
    if (place >= 0 && place < textsMax) return fromDocument + place;
    if (spelled.length >= textsMax) throw new Error('the sealed values of a document refer to too many texts');
    return spelledOut + spelled.push(text) - 1;
  };
  return {
    spelled,
    numberOf: (text: string): number => {
      const number = numbers.get(text) ?? found(text);
      numbers.set(text, number);
      return number;
    },
  };
};

/** The way back. Throws for a number that no text has. */
export const textAt = (number: number, known: KnownTexts, spelled: readonly string[]): string => {
  const text =
    number >= spelledOut
      ? spelled[number - spelledOut]
      : number >= fromDocument
        ? known[number - fromDocument]
        : words[number];
  if (text === undefined) throw new Error(`a stored document refers to a text ${number.toString()} that it has not`);
  return text;
};
