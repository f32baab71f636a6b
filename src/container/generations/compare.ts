import { createHash } from 'node:crypto';
import type { ComparedSlice, ComparedType } from '../../admin/projections.js';
import { plainBytes } from '../../kernel/plainBytes.js';
import type { Position } from '../../kernel/event.js';
import type { AbsentDocument, DocumentStore, Plain, StoredDocument } from '../../kernel/ports/documentStore.js';

export type CompareNeeds = {
  readonly stores: readonly [Store, Store];
  /** Resolves with an end of the log once both have stored all that is in it. */
  readonly level: () => Promise<Position>;
  /** After so many milliseconds of work; live traffic has its turn. Rejects to end the comparison. */
  readonly rest: (millis: number) => Promise<void>;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
};

type Store = Pick<DocumentStore, 'scan' | 'getMany'>;

/** A digest stands for so many keys, or for fewer where they are large. */
export const sliceKeysMax = 1_024;
const sliceUnitsMax = 4_194_304;
/** Of one read, which takes a millisecond or two. */
const pageKeysMax = 128;
const pageBytesMax = 131_072;
/** Of work without a pause. */
export const sliceMillisMax = 5;
/** Slices and keys that are named; all are counted. */
export const namedSlicesMax = 20;
export const namedKeysMax = 20;
/** How long, for all documents together, those that differ are looked at again: they may change all the time. */
export const settleMillisMax = 30_000;
const settlePauseMillis = 20;
/** Documents of which all events are there may still be on their way out: a workflow removes those that nobody needs. */
const removalMillisMax = 5_000;

type Found = StoredDocument | AbsentDocument;
/** With the text of each document, because it takes longer than all else. */
type Pair = {
  readonly key: string;
  readonly one: Found | undefined;
  readonly other: Found | undefined;
  readonly texts: readonly [string, string];
};
const pairOf = (key: string, one: Found | undefined, other: Found | undefined): Pair => ({
  ...{ key, one, other },
  texts: [textOf(one), textOf(other)],
});

/** `undefined` while there is time left. */
type Breath = () => Promise<void> | undefined;
type Breathing = CompareNeeds & { readonly breath: Breath };

const breathing = ({ rest, now }: CompareNeeds): Breath => {
  let begun = now();
  return () => {
    const worked = now() - begun;
    if (worked < sliceMillisMax) return undefined;
    return rest(worked).then(() => {
      begun = now();
    });
  };
};

/** Of one type of documents, as two stores hold it. Each pair is compared as of one position, also while events come. */
export const comparer = (given: CompareNeeds): ((collection: string) => Promise<ComparedType>) => {
  const needs = { ...given, breath: breathing(given) };
  const settle = settler(needs);
  return async (collection) => {
    const whole = [createHash('sha256'), createHash('sha256')] as const;
    const named: ComparedSlice[] = [];
    let [documents, differing] = [0, 0];
    for await (const pairs of slicesOf(needs, collection)) {
      const settled = await settle(collection, pairs);
      const slice = await sliceOf(settled, needs.breath);
      for (const [index, hash] of whole.entries()) hash.update(slice.digests[index] ?? '');
      documents += settled.length;
      differing += slice.differing;
      if (slice.differing > 0 && named.length < namedSlicesMax) named.push(slice);
    }
    const [one, other] = whole.map((hash) => hash.digest('hex'));
    return { collection, documents, differing, digests: [one ?? '', other ?? ''], slices: named };
  };
};

const sliceOf = async (pairs: readonly Pair[], breath: Breath): Promise<ComparedSlice> => {
  const hashes = [createHash('sha256'), createHash('sha256')] as const;
  const keys: string[] = [];
  let differing = 0;
  for (const { key, texts } of pairs) {
    const [left, right] = texts;
    await breath();
    hashes[0].update(left);
    hashes[1].update(right);
    if (left === right) continue;
    differing += 1;
    if (keys.length < namedKeysMax) keys.push(key);
  }
  const [one, other] = hashes.map((hash) => hash.digest('hex'));
  const [from, to] = [pairs[0]?.key ?? '', pairs.at(-1)?.key ?? ''];
  return { from, to, digests: [one ?? '', other ?? ''], differing, keys };
};

/** Looks at the pairs that differ again, until both are as of one position or the time is over. */
const settler = ({ stores: [one, other], level, rest, now, breath }: Breathing) => {
  let spent = 0;
  return async (collection: string, pairs: readonly Pair[]): Promise<readonly Pair[]> => {
    const settled = new Map(pairs.map((pair) => [pair.key, pair]));
    const began = now();
    let open = pairs.filter(differs).map(({ key }) => key);
    while (open.length > 0 && spent + now() - began < settleMillisMax) {
      const position = await level();
      const again: Pair[] = [];
      for (const keys of pagesOf(open)) {
        const [left, right] = await Promise.all([one.getMany(collection, keys), other.getMany(collection, keys)]);
        for (const [index, key] of keys.entries()) {
          again.push(pairOf(key, left[index], right[index]));
          await breath();
        }
      }
      for (const pair of again) settled.set(pair.key, pair);
      const isWorthWaiting = (pair: Pair): boolean =>
        changedBehind(pair, position) || spent + now() - began < removalMillisMax;
      open = again.filter((pair) => differs(pair) && isWorthWaiting(pair)).map(({ key }) => key);
      if (open.length > 0) await rest(settlePauseMillis);
    }
    spent += now() - began;
    // One that was removed from both is none.
    return [...settled.values()].filter(
      (pair) => pair.one?.document !== undefined || pair.other?.document !== undefined,
    );
  };
};

const changedBehind = ({ one, other }: Pair, position: Position): boolean =>
  (one?.position ?? 0n) > position || (other?.position ?? 0n) > position;

const differs = ({ texts: [left, right] }: Pair): boolean => left !== right;

const pagesOf = (keys: readonly string[]): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(keys.length / pageKeysMax) }, (_, page) =>
    keys.slice(page * pageKeysMax, (page + 1) * pageKeysMax),
  );

async function* slicesOf(needs: Breathing, collection: string): AsyncGenerator<readonly Pair[], void> {
  const [one, other] = needs.stores.map((store) => cursorOf(store, collection, needs));
  if (one === undefined || other === undefined) return;
  let [slice, units]: [Pair[], number] = [[], 0];
  for (;;) {
    const [left, right] = [await one.peek(), await other.peek()];
    const key = lower(left?.key, right?.key);
    if (key === undefined) break;
    const pair = pairOf(key, left?.key === key ? one.take() : undefined, right?.key === key ? other.take() : undefined);
    slice.push(pair);
    units += Math.max(...pair.texts.map(({ length }) => length));
    await needs.breath();
    if (slice.length < sliceKeysMax && units < sliceUnitsMax) continue;
    yield slice;
    [slice, units] = [[], 0];
  }
  if (slice.length > 0) yield slice;
}

const lower = (one: string | undefined, other: string | undefined): string | undefined => {
  if (one === undefined || other === undefined) return one ?? other;
  return Buffer.compare(Buffer.from(one), Buffer.from(other)) <= 0 ? one : other;
};

const cursorOf = (store: Store, collection: string, { breath }: Pick<Breathing, 'breath'>) => {
  let page: readonly StoredDocument[] = [];
  let [at, last, isOver]: [number, string | undefined, boolean] = [0, undefined, false];
  let limit = 1;
  const next = async (): Promise<void> => {
    const after = last === undefined ? {} : { after: last };
    page = await store.scan({ ...{ collection, prefix: '', limit }, ...after });
    at = 0;
    last = page.at(-1)?.key ?? last;
    isOver = page.length < limit;
    limit = nextLimit(limit, page);
    await breath();
  };
  return {
    peek: async (): Promise<StoredDocument | undefined> => {
      if (at >= page.length && !isOver) await next();
      return page[at];
    },
    take: (): StoredDocument | undefined => {
      const found = page[at];
      at += 1;
      return found;
    },
  };
};

/** A read cannot be interrupted, so its size follows from the documents of the one before. */
const nextLimit = (limit: number, page: readonly StoredDocument[]): number => {
  const bytes = page.reduce((sum, { document }) => sum + plainBytes(document), 0);
  const fitting = Math.floor((pageBytesMax * page.length) / Math.max(1, bytes));
  return Math.max(1, Math.min(pageKeysMax, limit * 2, fitting));
};

/** One text for each document and one document for each text. An absent document has none. */
const textOf = (found: Found | undefined): string =>
  found?.document === undefined
    ? ''
    : `${JSON.stringify(found.key)} ${found.position.toString()} ${canonical(found.document)}\n`;

/** Fields sorted, and kinds of numbers told apart. */
const canonical = (value: Plain): string => {
  if (typeof value === 'bigint') return `${value.toString()}n`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (value instanceof Uint8Array) return `b${Buffer.from(value).toString('base64')}`;
  if (Array.isArray(value)) return `[${(value as readonly Plain[]).map(canonical).join()}]`;
  const fields = Object.entries(value as Readonly<Record<string, Plain | undefined>>)
    .filter((field): field is [string, Plain] => field[1] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, held]) => `${JSON.stringify(name)}:${canonical(held)}`).join()}}`;
};
