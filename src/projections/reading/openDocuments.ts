import { boundedMap } from '../../kernel/boundedMap.js';
import type { Position } from '../../kernel/event.js';
import { plainBytes } from '../../kernel/plainBytes.js';
import type { Plain } from '../../kernel/ports/documentStore.js';

/** Documents of hot pages, open, so that those who read them again only look whether they are still the same. */
export interface OpenDocuments {
  /** For one read. Documents kept by a read that began before `clear` are seen by nobody who begins after it. */
  forRead(): KeptDocuments;
  clear(): void;
}

export interface KeptDocuments {
  /** The document as of exactly this position, until its keys have to be asked for again. */
  of(place: DocumentPlace): Plain | undefined;
  /** `until`: by the monotonic clock. */
  keep(place: DocumentPlace, document: Plain, until: number): void;
}

/** A fold is pure: within one generation documents of one collection, key and position are the same. */
export type DocumentPlace = { readonly collection: string; readonly key: string; readonly position: Position };

/** About. */
export const openDocumentsBytesMax = 33_554_432;

/** Of a document in memory over one in a store: about as much again for objects, and twice for text. */
const memoryFactor = 3;
const entryBytes = 256;

export const openDocuments = (now: () => number, bytesMax = openDocumentsBytesMax): OpenDocuments => {
  let kept = keptDocuments(now, bytesMax);
  return {
    forRead: () => kept,
    clear: () => {
      kept = keptDocuments(now, bytesMax);
    },
  };
};

const keptDocuments = (now: () => number, bytesMax: number): KeptDocuments => {
  const kept = boundedMap<string, Kept>({
    bytesMax,
    bytesOf: ({ document }) => entryBytes + memoryFactor * plainBytes(document),
  });
  return {
    of: (place) => {
      const found = kept.get(nameOf(place));
      return found?.position === place.position && now() < found.until ? found.document : undefined;
    },
    keep: (place, document, until) => {
      kept.set(nameOf(place), { position: place.position, document, until });
    },
  };
};

type Kept = { readonly position: Position; readonly document: Plain; readonly until: number };

/** Joined, because a text that is made by a template keeps its parts. */
const nameOf = ({ collection, key }: DocumentPlace): string => [collection, key].join(' ');
