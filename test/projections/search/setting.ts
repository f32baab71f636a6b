import { createHash } from 'node:crypto';
import type { ChatKey } from '../../../src/kernel/chat.js';
import type { MessageId, UserId } from '../../../src/kernel/ids.js';
import type { DocumentStore } from '../../../src/kernel/ports/documentStore.js';
import {
  blockCollection,
  blockIdsOf,
  blockKey,
  chatPrefixOf,
  headCollection,
  headKey,
  headOf,
  recordCollection,
  type HashedTerm,
} from '../../../src/projections/search/documents.js';
import type { FormerTerms, IndexedChange } from '../../../src/projections/search/postingIndex.js';
import { emptyHead, noIds } from '../../../src/projections/search/postings.js';

export const aChat = 'channel.11.12' as ChatKey;
export const author = 7n as UserId;
export const period = '202601';

export const hashed = (term: string, chat = aChat): HashedTerm =>
  createHash('sha256').update(`${chat} ${term}`).digest().toString('base64url', 0, 9);

const termsIn = (words: string, chat: ChatKey): readonly HashedTerm[] =>
  words === '' ? [] : words.split(' ').map((word) => hashed(word, chat));

const formerly = (had: string | undefined, chat: ChatKey): FormerTerms =>
  had === undefined ? 'closed' : termsIn(had, chat);

/** `had`: the words before an edit, absent where nobody can tell them. */
type Written = { readonly words: string; readonly had?: string; readonly chat?: ChatKey; readonly by?: UserId };

export const written = (
  kind: 'sent' | 'edited',
  [position, message]: readonly [bigint, number | bigint],
  { words, had, chat = aChat, by = author }: Written,
): IndexedChange => {
  const placed = { position, message: BigInt(message) as MessageId, chat };
  const indexed = { subject: by, period, terms: termsIn(words, chat) };
  return kind === 'sent'
    ? { kind, ...placed, ...indexed }
    : { kind, former: formerly(had, chat), ...placed, ...indexed };
};

type Gone = { readonly had?: string; readonly chat?: ChatKey };

export const deleted = (
  position: bigint,
  message: number | bigint,
  { had, chat = aChat }: Gone = {},
): IndexedChange => ({
  kind: 'deleted',
  position,
  message: BigInt(message) as MessageId,
  chat,
  former: formerly(had, chat),
});

type Reading = Pick<DocumentStore, 'getMany' | 'scan'>;

/** The messages in the list of a term. */
export const postingsOf = async (store: Reading, term: string, chat = aChat): Promise<readonly bigint[]> => {
  const list = headKey(chatPrefixOf(chat), hashed(term, chat));
  const [found] = await store.getMany(headCollection, [list]);
  if (found?.document === undefined) return [];
  const { ceilings, ids } = headOf(found.document) ?? emptyHead;
  const keys = Array.from(ceilings, (ceiling) => blockKey(list, ceiling));
  const blocks = await store.getMany(blockCollection, keys);
  return [
    ...blocks.flatMap(({ document }) => (document === undefined ? [] : [...(blockIdsOf(document) ?? noIds)])),
    ...ids,
  ];
};

export const countOf = async (store: Reading): Promise<Readonly<Record<string, number>>> => {
  const counts: Record<string, number> = {};
  for (const collection of [headCollection, blockCollection, recordCollection]) {
    counts[collection] = (await store.scan({ collection, prefix: '', limit: 1_000_000 })).length;
  }
  return counts;
};
