import { collectionOf, type AnyDocumentType, type Projection } from '../../kernel/document.js';
import type { CollectionSpec } from '../../kernel/ports/documentStore.js';
import type { DeclaredModule, DeclaredType } from '../../kernel/ports/projectionModule.js';

/** Whether a module is given personal fields open. Its documents are sealed as a whole then. */
export type Openness = 'sealed' | 'open';

/** A module as generations and the runner see it. */
export type OwnReadModels = {
  readonly projections: readonly [Projection];
  readonly collections: readonly CollectionSpec[];
};

/** Documents of an open module are others than those of the same module when it was not, so they have other names. */
export const ownTypeName = (type: string, openness: Openness): string => (openness === 'open' ? `${type}_open` : type);

export const ownReadModels = ({ name, version, types }: DeclaredModule, openness: Openness): OwnReadModels => {
  const documents = types.map((type) => documentType(type, version, openness));
  return {
    projections: [{ name, documents }],
    collections: types.map(({ indexes }, place) => ({
      name: collectionOf(documents[place] ?? { name, version }),
      indexes,
    })),
  };
};

const documentType = ({ name, facts }: DeclaredType, version: number, openness: Openness): AnyDocumentType => ({
  name: ownTypeName(name, openness),
  version,
  streams: 'log',
  types: facts,
  keysOf: elsewhere,
  indexKeysOf: elsewhere,
  fold: elsewhere,
});

const elsewhere = (): never => {
  throw new Error('a module folds in a process of its own');
};

/** The facts that a module folds and no package declares. */
export const unknownFacts = ({ types }: DeclaredModule, known: ReadonlySet<string>): readonly string[] => [
  ...new Set(types.flatMap(({ facts }) => facts.filter((fact) => !known.has(fact)))),
];
