import type { Json } from '../schema.js';

/** A projection of the operator's own, as it describes itself. */
export type DeclaredModule = {
  readonly name: string;
  readonly version: number;
  readonly types: readonly DeclaredType[];
};

export type DeclaredType = {
  readonly name: string;
  /** The facts that it folds. */
  readonly facts: readonly string[];
  readonly indexes: readonly string[];
};

export type ModuleIndexKeys = Readonly<Record<string, readonly (readonly (string | number)[])[]>>;

/** The name of a type, and the key of a document of it. */
export type ModuleKey = readonly [type: string, key: string];

/** A document before it is folded on; `null` while there is none. `position`: of the last event in it, in decimal. */
export type ModuleDocument = readonly [type: string, key: string, position: string, document: Json];

/** A document that was changed. `event`: the place of the last event in it. `document` is `null` when it was removed. */
export type FoldedDocument = readonly [
  type: string,
  key: string,
  event: number,
  document: Json,
  indexKeys: ModuleIndexKeys,
];

/** The module cannot take the event at this place. */
export type RefusedEvent = { readonly event: number; readonly why: string };

export type AskedKeys = { readonly keys: readonly (readonly ModuleKey[])[]; readonly refused?: RefusedEvent };
export type FoldedEvents = { readonly documents: readonly FoldedDocument[]; readonly refused?: RefusedEvent };

/** The module has come to an end: it did not load, threw outside of an event, took too long or too much memory. */
export class ModuleFailed extends Error {
  constructor(module: string, why: string) {
    super(`the module ${module} ${why}`);
    this.name = 'ModuleFailed';
  }
}

/** A module at work, apart from this process. One call at a time. Each rejects with `ModuleFailed` once it has failed. */
export interface ProjectionModule {
  readonly declared: DeclaredModule;
  /** The documents that each event is folded into, as far as the first that is refused. It remembers the events until the next call. */
  keysOf(events: readonly Json[]): Promise<AskedKeys>;
  /** Folds the remembered events from `from` on and before `to` into these documents, as far as the first that is refused. */
  fold(
    span: { readonly from: number; readonly to: number },
    documents: readonly ModuleDocument[],
  ): Promise<FoldedEvents>;
  close(): Promise<void>;
}

/** Rejects with `ModuleFailed`. */
export type StartModule = () => Promise<ProjectionModule>;

export const modulesMax = 8;
export const moduleTypesMax = 16;
export const moduleIndexesMax = 8;
export const moduleNameUnitsMax = 32;
export const documentsPerEventMax = 100;
/** Of its JSON. */
export const moduleDocumentBytesMax = 32_768;
export const moduleKeyBytesMax = 160;
export const moduleIndexKeysMax = 16;
/** Of all elements of one key of an index. */
export const moduleIndexKeyBytesMax = 160;
/** One call, which is a few hundred events at most. */
export const moduleCallMillisMax = 10_000;
export const moduleMebibytesMax = 256;
