import type { ReadDocuments, ReadWish } from '../../admin/projections.js';
import { GenerationRefused } from '../../admin/projections.js';
import type { VerbCall } from '../../admin/verbCall.js';
import type { Position } from '../../kernel/event.js';
import { collectionOf } from '../../kernel/document.js';
import type { AbsentDocument, DocumentStore, IndexKey, StoredDocument } from '../../kernel/ports/documentStore.js';
import { parsedJson } from '../../kernel/json.js';
import { plainBytes } from '../../kernel/plainBytes.js';
import { nextTurn, withDeadline } from '../../kernel/timing.js';
import { plainForm, sealedForm, type OwnForm, type OwnSealer } from '../../projections/own/ownForms.js';
import { ownTypeName } from '../../projections/own/declared.js';
import type { Projections } from '../../projections/runner/runner.js';
import type { OwnModule } from './modules.js';

/** Lines of JSON. Throws `GenerationRefused`. */
export type ReadModule = (wish: ReadWish, call: VerbCall) => Promise<ReadDocuments>;

export type OwnReadingNeeds = {
  readonly module: OwnModule;
  readonly store: Pick<DocumentStore, 'get' | 'range' | 'scan'>;
  readonly projections: Pick<Projections, 'reached' | 'status'>;
  readonly sealer: OwnSealer;
  readonly end: () => Promise<Position>;
};

/** A reader waits so long for documents that are behind the log. */
export const readWaitMillisMax = 5_000;
const pageDocuments = 100;
/** Of the answer, which the door puts into one line. */
export const readUnitsMax = 4_194_304;
/** Of documents as the store measures them: far more than have room in the answer. */
export const readBytesMax = 16_777_216;

export const readingOf = (needs: OwnReadingNeeds): ReadModule => {
  const { module, store, sealer } = needs;
  const form = module.openness === 'open' ? sealedForm(sealer, module.name) : plainForm;
  return async (wish, call) => {
    const type = typeOf(module, wish);
    const collection = collectionOf({ name: ownTypeName(type, module.openness), version: module.declared.version });
    await caughtUp(needs, call);
    const found = await foundIn({ store, form, collection, module, type }, wish);
    return linesOf({ form, collection }, found, wish);
  };
};

const typeOf = ({ declared: { name, types } }: OwnModule, { type }: ReadWish): string => {
  const names = types.map((one) => one.name);
  const wanted = type ?? (names.length === 1 ? names[0] : undefined);
  if (wanted !== undefined && names.includes(wanted)) return wanted;
  throw new GenerationRefused(`${name} has the types ${names.join(', ')}: name one of them with --type`);
};

/** One that has stopped, or is built still, is read as far as it is; the operator is told. */
const caughtUp = async ({ projections, module, end }: OwnReadingNeeds, { progress }: VerbCall): Promise<void> => {
  try {
    const reached = Promise.resolve(projections.reached(await end()));
    await withDeadline(reached, readWaitMillisMax, () => new Error('it is behind the log'));
  } catch (error) {
    const [status] = await projections.status();
    const why = status?.stopped instanceof Error ? `it has stopped: ${status.stopped.message}` : String(error);
    progress(`${module.name} is at ${String(status?.position)}: ${why}`);
  }
};

type Reading = Pick<OwnReadingNeeds, 'store' | 'module'> & {
  readonly form: OwnForm;
  readonly collection: string;
  readonly type: string;
};

const foundIn = async (
  { store, form, collection, module, type }: Reading,
  { key, index, after, limit }: ReadWish,
): Promise<readonly StoredDocument[]> => {
  if (key !== undefined) {
    const found = await store.get(collection, form.keyOf(collection, key));
    return isThere(found) ? [found] : [];
  }
  if (index !== undefined) {
    const { name, within } = indexOf(module, type, index);
    const elements = form.elementsOf(collection, within);
    const range = { ...{ collection, index: name, within: elements }, order: 'ascending', limit } as const;
    return store.range({ ...range, bytesMax: readBytesMax });
  }
  const found: StoredDocument[] = [];
  let bytes = 0;
  let last = after === undefined ? undefined : form.keyOf(collection, after);
  while (found.length < limit && bytes <= readBytesMax) {
    const wanted = Math.min(pageDocuments, limit - found.length);
    const range = { collection, prefix: '', limit: wanted, ...(last === undefined ? {} : { after: last }) };
    const page = await store.scan(range);
    found.push(...page);
    last = page.at(-1)?.key;
    if (page.length < wanted) break;
    bytes += page.reduce((sum, { document }) => sum + plainBytes(document), 0);
    await nextTurn();
  }
  return found;
};

const isThere = (found: StoredDocument | AbsentDocument): found is StoredDocument => found.document !== undefined;

type AskedIndex = { readonly name: string; readonly within: IndexKey };

/** `byDay=2026-11-30`, or a list as JSON where there are several elements or numbers: `byDay=["2026-11-30",7]`. */
const indexOf = ({ name: module, declared: { types } }: OwnModule, type: string, asked: string): AskedIndex => {
  const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(asked) ?? [];
  const known = types.find((one) => one.name === type)?.indexes ?? [];
  if (!known.includes(name))
    throw new GenerationRefused(
      `${type} of ${module} has the indexes ${known.join(', ') || 'none'}: --index NAME=VALUE names one`,
    );
  if (!value.startsWith('[')) return { name, within: [value] };
  const elements = listIn(value);
  if (elements === undefined) throw new GenerationRefused('a list behind --index must be JSON of texts and numbers');
  return { name, within: elements };
};

const listIn = (text: string): IndexKey | undefined => {
  try {
    const parsed = parsedJson(text);
    const isElement = (one: unknown): one is string | number => typeof one === 'string' || typeof one === 'number';
    return Array.isArray(parsed) && parsed.every(isElement) ? parsed : undefined;
  } catch {
    return undefined;
  }
};

const linesOf = async (
  { form, collection }: Pick<Reading, 'form' | 'collection'>,
  found: readonly StoredDocument[],
  { limit }: ReadWish,
): Promise<ReadDocuments> => {
  let [text, last]: [string, string | undefined] = ['', undefined];
  for (const one of found) {
    const { key, document } = await form.opened(collection, one.key, one.document);
    const line = `${JSON.stringify({ key, position: one.position.toString(), document })}\n`;
    if (text.length + line.length > readUnitsMax) return { text, more: last ?? key };
    text += line;
    last = key;
  }
  return { text, ...(found.length >= limit && last !== undefined ? { more: last } : {}) };
};
