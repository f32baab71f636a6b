import { isRejection, type Rejection } from '../../kernel/decider.js';
import type { FileId } from '../../kernel/ids.js';
import type { StoredPart } from './manifest.js';
import { openedPart, type OpeningNeeds } from './reading.js';

/** Parts that are asked of the store at a time: they may be short and the store far away. Together they have so many bytes, or are one. */
const atOnceMax = 64;
const atOnceBytesMax = 8_388_608;

export type StretchNeeds = OpeningNeeds & {
  /** Told how many bytes are about to be opened. */
  readonly opening?: (bytes: number) => void;
};

/** The bytes of an upload, one part after the other, as they were sent. Throws what `partRefusal` reads where a part is damaged. */
export async function* openedParts(
  needs: StretchNeeds,
  { file, key }: { readonly file: FileId; readonly key: Uint8Array },
  parts: readonly StoredPart[],
): AsyncGenerator<Uint8Array> {
  let index = 0;
  while (index < parts.length) {
    const several = nextOf(parts, index);
    const from = index;
    needs.opening?.(several.reduce((sum, { bytes }) => sum + bytes, 0));
    const opened = several.map((part, at) => openedPart(needs, { file, key, index: from + at, part }));
    for (const plain of await Promise.all(opened)) {
      if (isRejection(plain)) throw new PartRefused(plain);
      yield plain;
    }
    index += several.length;
  }
}

/** Bytes that are all there, as one part. */
export async function* inOne(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

const nextOf = (parts: readonly StoredPart[], from: number): readonly StoredPart[] => {
  const several: StoredPart[] = [];
  let bytes = 0;
  for (const part of parts.slice(from, from + atOnceMax)) {
    bytes += part.bytes;
    if (several.length > 0 && bytes > atOnceBytesMax) break;
    several.push(part);
  }
  return several;
};

/** Carries a refusal out of the reading of parts. */
class PartRefused extends Error {
  readonly refusal: Rejection;
  constructor(refusal: Rejection) {
    super('a part of an upload cannot be read');
    this.refusal = refusal;
  }
}

/** Why the parts could not be read to their end. Throws what is no refusal. */
export const partRefusal = (error: unknown): Rejection => {
  if (error instanceof PartRefused) return error.refusal;
  throw error;
};
