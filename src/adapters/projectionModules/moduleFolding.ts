import type {
  AskedKeys,
  FoldedDocument,
  FoldedEvents,
  ModuleDocument,
  ModuleIndexKeys,
  ModuleKey,
} from '../../kernel/ports/projectionModule.js';
import { documentsPerEventMax } from '../../kernel/ports/projectionModule.js';
import type { Json } from '../../kernel/schema.js';
import type { CheckedModule, TypeFunctions } from './declaration.js';
import { checkedDocument, checkedIndexKeys, checkedKeys, frozen } from './moduleValues.js';

/** The part of an event that says where it belongs. */
export type ModuleEvent = { readonly type: string; readonly position: string };

/** The work of a module, in the process that it has for itself. */
export interface ModuleFolding {
  keysOf(events: readonly ModuleEvent[]): AskedKeys;
  fold(span: { readonly from: number; readonly to: number }, documents: readonly ModuleDocument[]): FoldedEvents;
}

export const moduleFolding = ({ functions }: CheckedModule): ModuleFolding => {
  let events: readonly ModuleEvent[] = [];
  let keys: readonly (readonly ModuleKey[])[] = [];
  return {
    keysOf: (given) => {
      events = frozen(given);
      const asked = inTurn(events, (event) => keysIn(functions, event));
      keys = asked.done;
      return { keys, ...asked.refused };
    },
    fold: ({ from, to }, documents) => {
      const held = new Map(documents.map((one) => [nameOf(one[0], one[1]), heldOf(one)]));
      const { refused } = inTurn(events.slice(from, to), (event, index) => {
        const changes = (keys[from + index] ?? []).flatMap((key) => changeOf(functions, held, { event, key }));
        // Either all documents of one event change, or none does.
        for (const { one, document, indexKeys } of changes)
          Object.assign(one, { document, indexKeys, event: from + index, position: BigInt(event.position) });
      });
      return {
        documents: [...held.values()].flatMap(foldedOf),
        ...(refused === undefined ? {} : { refused: { ...refused.refused, event: from + refused.refused.event } }),
      };
    },
  };
};

type InTurn<T> = {
  readonly done: readonly T[];
  readonly refused?: { readonly refused: { readonly event: number; readonly why: string } };
};

/** As far as the first that throws. */
const inTurn = <T>(events: readonly ModuleEvent[], work: (event: ModuleEvent, index: number) => T): InTurn<T> => {
  const done: T[] = [];
  for (const [index, event] of events.entries()) {
    try {
      done.push(work(event, index));
    } catch (error) {
      return { done, refused: { refused: { event: index, why: reasonIn(error) } } };
    }
  }
  return { done };
};

const reasonUnitsMax = 1_000;
/** Of an error, or anything else that was thrown. */
export const reasonIn = (error: unknown): string =>
  (error instanceof Error ? `${error.name}: ${error.message}` : 'something that is no error was thrown').slice(
    0,
    reasonUnitsMax,
  );

const nameOf = (type: string, key: string): string => `${type} ${key}`;

const keysIn = (functions: CheckedModule['functions'], event: ModuleEvent): readonly ModuleKey[] => {
  const keys: ModuleKey[] = [];
  for (const [type, { keys: tables }] of functions) {
    const of = Object.hasOwn(tables, event.type) ? tables[event.type] : undefined;
    if (of !== undefined) keys.push(...checkedKeys(of(event)).map((key): ModuleKey => [type, key]));
  }
  if (keys.length > documentsPerEventMax)
    throw new Error(`an event may be folded into ${documentsPerEventMax.toString()} documents`);
  return keys;
};

type Held = {
  readonly type: string;
  readonly key: string;
  document: Json;
  indexKeys: ModuleIndexKeys;
  position: bigint;
  /** The last that changed it. */
  event: number | undefined;
};

const heldOf = ([type, key, position, document]: ModuleDocument): Held => ({
  ...{ type, key, document: frozen(document), indexKeys: {}, position: BigInt(position), event: undefined },
});

const foldedOf = ({ type, key, event, document, indexKeys }: Held): readonly FoldedDocument[] =>
  event === undefined ? [] : [[type, key, event, document, indexKeys]];

type Change = { readonly one: Held; readonly document: Json; readonly indexKeys: ModuleIndexKeys };
type Target = { readonly event: ModuleEvent; readonly key: ModuleKey };

const changeOf = (
  functions: CheckedModule['functions'],
  held: ReadonlyMap<string, Held>,
  { event, key: [type, key] }: Target,
): readonly Change[] => {
  const one = held.get(nameOf(type, key));
  const of: TypeFunctions | undefined = functions.get(type);
  const fold = of?.fold[event.type];
  if (one === undefined || of === undefined || fold === undefined)
    throw new Error(`there is no document ${type} ${key}`);
  // The log redelivers after a crash. An event that is in the document already must not count twice.
  if (BigInt(event.position) <= one.position) return [];
  const given = fold(one.document ?? undefined, event, key);
  if (given === (one.document ?? undefined)) return [];
  const document = frozen(checkedDocument(given));
  return [{ one, document, indexKeys: document === null ? {} : checkedIndexKeys(of.indexes, document) }];
};
