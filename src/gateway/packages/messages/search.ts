import type { Search } from '../../../gen/messages.js';
import { channelChat, type ChatKey } from '../../../kernel/chat.js';
import { isRejection, reject, type Rejection } from '../../../kernel/decider.js';
import { isShredded, opened, unless } from '../../../kernel/opened.js';
import { nextTurn } from '../../../kernel/timing.js';
import type { MessageDocument } from '../../../projections/messages/documents.js';
import { messagesById, type HistoryPage } from '../../../projections/messages/queries.js';
import type { Reads } from '../../../projections/reading/queries.js';
import {
  candidatesIn,
  isFoundBy,
  queryOf,
  type Candidates,
  type Query,
  type SearchReads,
  type Slice,
} from '../../../projections/search/queries.js';
import { seenTextChat, type SeenChat } from '../../access/chatAccess.js';
import type { Call } from '../../contract/call.js';
import { costs } from '../../contract/meter.js';
import { keysPerReadMax, meteredReads, turnOf } from '../../contract/meteredReads.js';
import type { MessageSearch } from '../../contract/messageSearch.js';
import type { Access } from '../../contract/viewerPermissions.js';
import { historyAnswer, type HistoryNeeds } from './history.js';

export type SearchNeeds = HistoryNeeds & {
  readonly access: Access;
  readonly search: MessageSearch;
};

/** Messages of one page. */
export const searchPageMax = 25;
/** In UTF-16 code units: as long as a message. */
export const queryUnitsMax = 4_000;
/** Of one slice: steps through posting lists, and messages that are opened. After a slice with a hit the page is answered. */
export const sliceStepsMax = 20_000;
export const sliceOpenedMax = 500;
/** A search without a hit goes on from slice to slice for so long. */
export const searchMillisMax = 2_000;
/** The thread is held no longer than this. */
export const turnMillisMax = 2;
const openedAtOnceMax = 32;

type Page = Pick<HistoryPage, 'since' | 'before'>;
type Answer = { readonly messages: Awaited<ReturnType<typeof historyAnswer>> };

/**
 * The messages that the caller sees now and that have all words of the query, the newest first. An empty page says that
 * there is nothing further.
 */
export const searched = async (
  needs: SearchNeeds,
  request: Search,
  call: Call,
  { key }: SeenChat,
): Promise<Answer | Rejection> => {
  const query = askedFor(request);
  if (isRejection(query)) return query;
  const index = meteredIndex(await needs.search.upTo(call.readsFrom()), call);
  const sight = sightOf(needs.access, call, { key, scoped: request.scoped });
  const first = await sight();
  if (isRejection(first)) return first;
  const page = pageOf(request);
  const [reads, turns] = [meteredReads(needs.reads, call), turnsOf(call)];
  const range = { ...query, chats: [...first.chats], ...page };
  const candidates = await candidatesIn(index, range, turns.breath);
  const hunt: Hunt = { candidates, reads, query, turns, rest: [], found: [] };
  for (;;) {
    const isWhole = await hunted(hunt);
    // Sight that was lost meanwhile must show nothing of what was sent since, and leaves room on the page.
    const now = await sight();
    if (isRejection(now)) return now;
    const lost = hunt.found.filter(({ chat }) => !now.chats.has(chat));
    hunt.found = hunt.found.filter(({ chat }) => now.chats.has(chat));
    if (isWhole && lost.length > 0) continue;
    if (!isWhole && hunt.found.length === 0) return reject('UNAVAILABLE', tooBroad);
    const found = page.since === undefined ? hunt.found : hunt.found.toReversed();
    const of = { found, page: { ...page, limit: searchPageMax }, community: now.community, call };
    return { messages: await historyAnswer({ ...needs, reads }, of) };
  }
};

/** Each list, and each block of one, is charged before it is read; of those that lie side by side the first one is. */
export const meteredIndex = (index: SearchReads, { meter }: Pick<Call, 'meter'>): SearchReads => ({
  ...index,
  store: {
    getMany: async (collection, keys) => {
      const found: Awaited<ReturnType<SearchReads['store']['getMany']>>[number][] = [];
      for (let at = 0; at < keys.length; at += keysPerReadMax) {
        const some = keys.slice(at, at + keysPerReadMax);
        await turnOf(meter, costs.postingList * some.length);
        found.push(...(await index.store.getMany(collection, some)));
      }
      return found;
    },
    scan: async (scan) => {
      await turnOf(meter, costs.postingList);
      const found = await index.store.scan(scan);
      meter.spend(costs.postingList * Math.max(0, found.length - 1));
      return found;
    },
  },
});

const tooBroad = 'the search took too long: add a word, or search in one chat';

const askedFor = ({ query: text }: Search): Query | Rejection => {
  if (text.length > queryUnitsMax) {
    return reject('INVALID_ARGUMENT', `the query has more than ${queryUnitsMax.toString()} UTF-16 units`);
  }
  return queryOf(text) ?? reject('INVALID_ARGUMENT', 'the query is empty');
};

/** As in a history: an anchor of 0 is none, except that everything is newer than 0. */
const pageOf = ({ since, before }: Search): Page => {
  if (since !== undefined) return { since };
  return before === undefined || before === 0n ? {} : { before };
};

type Where = { readonly key: ChatKey; readonly scoped: boolean };
type Sight = { readonly chats: ReadonlySet<ChatKey>; readonly community: SeenChat['community'] };

/** The chats that are searched, as far as the caller sees them now: of a channel those of its community. */
const sightOf =
  (access: Access, call: Call, { key, scoped }: Where) =>
  async (): Promise<Sight | Rejection> => {
    const seen = await seenTextChat(access, call, key);
    if (isRejection(seen)) return seen;
    const { community } = seen;
    if (community === undefined || scoped) return { chats: new Set([key]), community };
    call.meter.spend((costs.hundredChannels * community.channels.length) / 100);
    const chats = community.channels
      .filter(({ kind }) => kind !== 'category')
      .map(({ id }) => channelChat(community.id, id))
      .filter((chat) => access.now.maySee(chat, call.caller.user));
    return { chats: new Set(chats), community };
  };

type Hunt = {
  readonly candidates: Candidates;
  readonly reads: Reads;
  readonly query: Query;
  readonly turns: Turns;
  /** Read, and not looked at yet. */
  readonly rest: MessageDocument[];
  found: readonly MessageDocument[];
};

const isExhausted = ({ candidates, rest }: Hunt): boolean => rest.length === 0 && candidates.isExhausted();

/**
 * Looks at candidates until the page is full, there are no more, or a slice is over and something is found. False when
 * the time is over before that.
 */
const hunted = async (hunt: Hunt): Promise<boolean> => {
  do {
    const slice = hunt.turns.slice();
    while (hunt.found.length < searchPageMax && !slice.isOver() && !isExhausted(hunt)) await huntSome(hunt, slice);
    if (hunt.found.length > 0 || isExhausted(hunt)) return true;
  } while (!hunt.turns.isLate());
  return false;
};

const huntSome = async (hunt: Hunt, slice: CountedSlice): Promise<void> => {
  const { query, rest } = hunt;
  if (rest.length === 0) rest.push(...(await candidatesRead(hunt, slice)));
  while (hunt.found.length < searchPageMax) {
    const message = rest.shift();
    if (message === undefined) return;
    if (isFound(query, message)) hunt.found = [...hunt.found, message];
    await slice.breath();
    if (hunt.turns.isLate()) return;
  }
};

/** Messages that are there still, in order. */
const candidatesRead = async (
  { candidates, reads }: Hunt,
  slice: CountedSlice,
): Promise<readonly MessageDocument[]> => {
  const next = await candidates.next(openedAtOnceMax, slice);
  slice.open(next.length);
  const chats = new Map(next.map(({ message, chat }) => [message, chat]));
  const messages = await messagesById(reads, [...chats.keys()]);
  return messages.filter(({ id, chat }) => chats.get(id) === chat);
};

const isFound = (query: Query, { text, entities, mentions }: MessageDocument): boolean => {
  const shown = opened(text);
  return !isShredded(shown) && isFoundBy(query, { text: shown, entities: unless(entities, []), mentions });
};

/** The turns of the thread that a search has, and its slices. */
type Turns = {
  readonly breath: () => Promise<void> | undefined;
  readonly slice: () => CountedSlice;
  readonly isLate: () => boolean;
};
type CountedSlice = Slice & { readonly open: (messages: number) => void };

const turnsOf = ({ meter }: Call): Turns => {
  const late = performance.now() + searchMillisMax;
  let begun = performance.now();
  const breath = (): Promise<void> | undefined => {
    if (performance.now() - begun < turnMillisMax) return undefined;
    return nextTurn().then(() => {
      begun = performance.now();
    });
  };
  return {
    breath,
    isLate: () => performance.now() >= late,
    slice: () => {
      let [steps, messages] = [0, 0];
      return {
        breath,
        spend: (more) => {
          steps += more;
          meter.spend((costs.thousandPostings * more) / 1_000);
        },
        open: (more) => {
          messages += more;
        },
        isOver: () => steps >= sliceStepsMax || messages >= sliceOpenedMax || performance.now() >= late,
      };
    },
  };
};
