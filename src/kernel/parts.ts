import type { Metadata } from './event.js';

/** The place of an event among those that one request handed to the log together: 1 of 3, 2 of 3, 3 of 3. */
export type Part = { readonly index: number; readonly of: number };

/** Nothing of an event that was handed in alone. */
export const partIn = (index: number, of: number): Pick<Metadata, 'part'> =>
  of > 1 ? { part: `${index.toString()}/${of.toString()}` } : {};

export const partOf = ({ part }: Pick<Metadata, 'part'>): Part | undefined => {
  const [, index, of] = /^(\d+)\/(\d+)$/.exec(part ?? '') ?? [];
  return index === undefined || of === undefined ? undefined : { index: Number(index), of: Number(of) };
};

// In JSON a quote inside of a text is escaped, so this is found in no text.
const written = /"part":"(\d+\/\d+)"/;

/** The same of metadata as a log holds them, which are not parsed for it. */
export const partOfStored = (metadata: Uint8Array): Part | undefined => {
  const bytes = Buffer.from(metadata.buffer, metadata.byteOffset, metadata.byteLength);
  const part = written.exec(bytes.toString('latin1'))?.[1];
  return part === undefined ? undefined : partOf({ part });
};
