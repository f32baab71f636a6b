import type { DocumentStore, Plain, StoredDocument } from '../../src/kernel/ports/documentStore.js';
import { collections } from '../../src/projections/registry.js';

type Scanned = Pick<DocumentStore, 'scan'>;

const pageDocuments = 500;

/**
 * A SHA-256, in hex, over all documents of all collections with their keys and positions: two stores with the same digest
 * say the same, whatever engine they are on and however they came to it. Compare them at the same checkpoint.
 */
export const digestOf = async (store: Scanned): Promise<string> =>
  hex(await chained(new Uint8Array(), JSON.stringify(await digestsOf(store))));

/** The same of each collection. */
export const digestsOf = async (store: Scanned): Promise<Readonly<Record<string, string>>> => {
  const digests: Record<string, string> = {};
  for (const { name } of [...collections].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    let digest: Uint8Array = new Uint8Array();
    for await (const page of pagesOf(store, name)) digest = await chained(digest, page.map(line).join(''));
    digests[name] = hex(digest);
  }
  return digests;
};

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

const pagesOf = async function* (store: Scanned, collection: string): AsyncGenerator<readonly StoredDocument[]> {
  let last: StoredDocument | undefined;
  do {
    const after = last === undefined ? {} : { after: last.key };
    const page = await store.scan({ collection, prefix: '', ...after, limit: pageDocuments });
    yield page;
    last = page.length < pageDocuments ? undefined : page.at(-1);
  } while (last !== undefined);
};

const utf8 = new TextEncoder();

/** The digest of what was before and of this. */
const chained = async (before: Uint8Array, text: string): Promise<Uint8Array> => {
  const added = utf8.encode(text);
  const bytes = new Uint8Array(before.length + added.length);
  bytes.set(before);
  bytes.set(added, before.length);
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
};

const line = ({ key, document, position }: StoredDocument): string =>
  `${JSON.stringify(key)} ${position.toString()} ${canonical(document)}\n`;

/** One text for each value and one value for each text: fields sorted, kinds of numbers told apart. */
const canonical = (value: Plain): string => {
  if (typeof value === 'bigint') return `${value.toString()}n`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (value instanceof Uint8Array) return `bytes[${value.join()}]`;
  if (Array.isArray(value)) return `[${(value as readonly Plain[]).map(canonical).join()}]`;
  const fields = Object.entries(value as Readonly<Record<string, Plain | undefined>>)
    .filter((field): field is [string, Plain] => field[1] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, held]) => `${JSON.stringify(name)}:${canonical(held)}`).join()}}`;
};
