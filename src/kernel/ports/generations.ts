import type { DocumentStore } from './documentStore.js';

/** The document types that are built together, with their versions. Releases with other ones have generations of their own. */
export type GenerationSet = {
  /** Twelve hex digits that follow from the types, their versions and their indexes. */
  readonly name: string;
  /** For people: `messages_v3`. */
  readonly types: readonly string[];
};

/** A complete set of documents with checkpoints of its own. */
export type Generation = {
  /** The name of its set and its number: `3fa09c21d4e8_1`. Letters, digits and `_`. */
  readonly name: string;
  readonly set: string;
  /** Counts the generations of one set, from 1 on. */
  readonly number: number;
  readonly types: readonly string[];
};

/** Another process holds the generation, and one at a time can. */
export class GenerationInUse extends Error {
  /** For people. */
  readonly by: string;

  constructor(name: string, by: string) {
    super(`the generation ${name} is in use by ${by}: stop that one first`);
    this.name = 'GenerationInUse';
    this.by = by;
  }
}

/** The generations were laid out by a release that this one does not know. Nothing was changed. */
export class NewerLayout extends Error {
  constructor(where: string, layout: string) {
    super(
      `${where} has the layout ${layout} of a newer release, and this one knows ${generationLayout}: run the newer one`,
    );
    this.name = 'NewerLayout';
  }
}

/** Raised by a release that keeps generations in a way that older ones would misread. */
export const generationLayout = '1';

/** All sets of documents that a deployment has, beside each other. Any of them can be rebuilt from the log. */
export interface Generations {
  /** By set and number. Makes nothing. Throws `NewerLayout`, as all others do. */
  list(): Promise<readonly Generation[]>;

  /** Makes an empty one of this number; undefined when there is one already, also of another process. */
  begin(set: GenerationSet, number: number): Promise<Generation | undefined>;

  /** The name of the one that was chosen to serve for a set; undefined while none was. */
  serving(set: string): Promise<string | undefined>;

  /** Chooses it. `before`: the name of the one that served until now, to which the operator may go back. Durable when resolved. */
  serve(generation: Generation, before?: string): Promise<void>;

  /** The name of the one that served before the one that was chosen last; undefined where that is not known. */
  servedBefore(set: string): Promise<string | undefined>;

  /**
   * Its documents, not open. Where processes cannot share them, `open` takes them for this process until `close`, and
   * rejects with `GenerationInUse`.
   */
  documents(generation: Generation): DocumentStore;

  /** The same for a thread of the process that has them open: `open` takes nothing, and is called with the same collections. */
  documentsOfThread(generation: Generation): DocumentStore;

  /** Its documents and its entry are gone when resolved. A drop that was cut short leaves nothing that counts as documents. */
  drop(generation: Generation): Promise<void>;

  readonly former: FormerDocuments;
}

/** The documents that releases without generations kept. They go on with them, so nothing here changes them. */
export interface FormerDocuments {
  isThere(): Promise<boolean>;
  /** Not open. */
  documents(): DocumentStore;
  drop(): Promise<void>;
}
