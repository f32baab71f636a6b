import type { MessageEvent } from '../../domain/messages/events.js';
import { readEvent, type EventCodec } from '../../kernel/codec.js';
import { isShredded, opened, unless, type Shredded } from '../../kernel/opened.js';
import type { UserId } from '../../kernel/ids.js';
import { DamagedRecord, type EventLog, type StoredEvent } from '../../kernel/ports/eventLog.js';
import { KeysMissing, type ScopeHasher, type Sealer } from '../../kernel/ports/sealer.js';
import { SealedField } from '../../kernel/sealed.js';
import { after, nextTurn } from '../../kernel/timing.js';
import { isDamage } from './damage.js';
import type { HashedTerm } from './documents.js';
import type { FormerTerms, IndexedChange } from './postingIndex.js';
import { hashOfTerm, termsOf, type Searchable, type Term } from './terms.js';

export type MessageChangesNeeds = {
  readonly log: Pick<EventLog, 'readStream'>;
  readonly codec: EventCodec;
  readonly sealer: Sealer;
};

/** Reads from events what they make of messages in the index. */
export interface MessageChanges {
  /** Whether such an event may change anything there. */
  concerns(stored: StoredEvent): boolean;
  /** Undefined for an event that changes nothing there, and for a new message of which a key is destroyed. */
  of(stored: StoredEvent): IndexedChange | undefined | Promise<IndexedChange | undefined>;
}

export const messageChanges = ({ log, codec, sealer }: MessageChangesNeeds): MessageChanges => {
  const hashed = termHasher(sealer);
  const kindIn = (stored: StoredEvent): IndexedChange['kind'] | undefined => kindOf(codec.factOf(stored));
  /** Which keys seal the words is known of the sealed event alone. */
  const wordsIn = (stored: StoredEvent, { data }: Indexed): Words | undefined | Promise<Words | undefined> => {
    const keys = 'text' in data ? keysOf(sealer, data.text) : undefined;
    if (keys === undefined) return undefined;
    return after(readEvent(codec, sealer, stored), (event) => {
      // The type says which event it is.
      const content = event && contentOf(event.data as Content);
      return content && after(hashed(data.chat, termsOf(content)), (terms) => ({ terms, ...keys }));
    });
  };
  const former = async ({ stream, revision }: StoredEvent): Promise<FormerTerms> => {
    const reading = { from: revision - 1n, direction: 'backwards', limit: 1 } as const;
    const [before] = revision === 0n ? [] : await log.readStream(stream, reading);
    const fact = before && codec.factOf(before);
    if (revision === 0n || (fact !== undefined && wordless.has(fact))) return [];
    // One that is gone, or of a type that a newer release has written, may have had any words.
    const sealed = before && kindIn(before) && sealedIn(codec, before);
    const words = sealed && (await wordsIn(before, sealed));
    return words?.terms ?? 'closed';
  };
  return {
    concerns: (stored) => kindIn(stored) !== undefined,
    of: (stored) => {
      const kind = kindIn(stored);
      const sealed = kind && sealedIn(codec, stored);
      if (kind === undefined || sealed === undefined) return undefined;
      const { message, chat } = sealed.data;
      const common = { position: stored.position, message, chat };
      const words = kind === 'deleted' ? undefined : wordsIn(stored, sealed);
      if (kind === 'sent') return after(words, (found) => found && { kind, ...common, ...found });
      return Promise.all([words, former(stored).catch(closedIfDamaged)]).then(([found, had]) =>
        found === undefined || kind === 'deleted'
          ? { kind: 'deleted', former: had, ...common }
          : { kind, former: had, ...common, ...found },
      );
    },
  };
};

type Words = { readonly terms: readonly HashedTerm[]; readonly subject: UserId; readonly period: string };

const sealedIn = (codec: EventCodec, stored: StoredEvent): Indexed | undefined =>
  // The fact says which event it is.
  codec.readSealed(stored) as Indexed | undefined;

const closedIfDamaged = (error: unknown): 'closed' => {
  if (isDamage(error) || error instanceof DamagedRecord) return 'closed';
  throw error;
};

/** Announcements have no words. */
type Indexed = Exclude<MessageEvent, { readonly type: 'MemberAnnounced' }>;

/** The change that each event is to the index. */
const kinds: Readonly<Record<Indexed['type'], IndexedChange['kind']>> = {
  MessageSent: 'sent',
  MessageForwarded: 'sent',
  MessageEdited: 'edited',
  MessageDeleted: 'deleted',
};
const kindsByFact: ReadonlyMap<string, IndexedChange['kind']> = new Map(Object.entries(kinds));
const kindOf = (fact: string | undefined): IndexedChange['kind'] | undefined =>
  fact === undefined ? undefined : kindsByFact.get(fact);

/** No words are left behind these. */
const wordless: ReadonlySet<string> = new Set<MessageEvent['type']>(['MemberAnnounced', 'MessageDeleted']);

type Content = Exclude<Indexed, { readonly type: 'MessageDeleted' }>['data'];

/** Whose key seals the text, which is not that of its sender in a forward, and of which period. */
const keysOf = (
  sealer: Sealer,
  text: Content['text'],
): { readonly subject: UserId; readonly period: string } | undefined => {
  // `readSealed` puts the sealed field in this place.
  const field = text as unknown;
  if (!(field instanceof SealedField) || field.value.subject === undefined) return undefined;
  const period = sealer.periodOf(field.value.sealed);
  return period === undefined ? undefined : { subject: BigInt(field.value.subject) as UserId, period };
};

const contentOf = ({ text, entities, mentions }: Content): Searchable | undefined => {
  const found = opened(text);
  return isShredded(found) ? undefined : { text: found, entities: unless(entities, []), mentions };
};

/** Words that are in use come again and again, and a hash takes as long as a dozen of these look-ups. */
const hashesMax = 50_000;

/** Hashes terms in the order in which they come. None where the key of the chat is destroyed. */
export const termHasher = (sealer: Pick<Sealer, 'hasherOf' | 'loadKeys' | 'onForgotten'>): TermHasher => {
  const { of: hashOf, clear } = hashesLately();
  sealer.onForgotten(clear);
  const hashesOf = (chat: string, terms: Iterable<Term>, hasher: ScopeHasher): readonly HashedTerm[] =>
    Array.from(terms, (term) => hashOf(chat, term, hasher));
  const inOneTurn: TermHasher = (chat, terms) =>
    after(
      withKeys(sealer, () => sealer.hasherOf(chat)),
      (hasher) => (hasher === undefined || isShredded(hasher) ? [] : hashesOf(chat, terms, onceEach(hasher))),
    );
  const inTurns = async (chat: string, terms: readonly Term[]): Promise<readonly HashedTerm[]> => {
    const hashes: HashedTerm[] = [];
    for (let at = 0; at < terms.length; at += termsPerTurn) {
      if (at > 0) await nextTurn();
      const some = await inOneTurn(chat, terms.slice(at, at + termsPerTurn));
      if (some.length === 0) return [];
      hashes.push(...some);
    }
    return hashes;
  };
  return (chat, terms) => {
    const all = [...terms];
    return all.length <= termsPerTurn ? inOneTurn(chat, all) : inTurns(chat, all);
  };
};

/** Without a promise where the terms are few and the key is in memory. */
export type TermHasher = (
  chat: string,
  terms: Iterable<Term>,
) => readonly HashedTerm[] | Promise<readonly HashedTerm[]>;

/** By chat and term, because a name of both would have to be made and looked at for each term. */
const hashesLately = () => {
  let known = new Map<string, Map<Term, HashedTerm>>();
  let count = 0;
  const clear = (): void => {
    known = new Map();
    count = 0;
  };
  const hashesIn = (chat: string): Map<Term, HashedTerm> => {
    const before = known.get(chat);
    if (before !== undefined) return before;
    const hashes = new Map<Term, HashedTerm>();
    known.set(chat, hashes);
    return hashes;
  };
  return {
    clear,
    of: (chat: string, term: Term, hasher: ScopeHasher): HashedTerm => {
      const before = known.get(chat)?.get(term);
      if (before !== undefined) return before;
      const hash = hashOfTerm(term, hasher);
      // The words that are in use are hashed again soon.
      if (count >= hashesMax) clear();
      hashesIn(chat).set(term, hash);
      count += 1;
      return hash;
    },
  };
};

/** Two milliseconds of the thread at most: a long word takes a hash for each of its letters. */
const termsPerTurn = 64;

/** Words that begin alike have the hashes of their beginnings in common. */
const onceEach = (hasher: ScopeHasher): ScopeHasher => {
  const known = new Map<string, string>();
  return (text) => {
    const hash = known.get(text) ?? hasher(text);
    known.set(text, hash);
    return hash;
  };
};

/** Undefined where the keys cannot be had. */
const withKeys = <T extends ScopeHasher | Shredded>(
  { loadKeys }: Pick<Sealer, 'loadKeys'>,
  work: () => T | KeysMissing,
): T | undefined | Promise<T | undefined> => {
  const first = work();
  if (!(first instanceof KeysMissing)) return first;
  return loadKeys(first.names).then(() => {
    const second = work();
    return second instanceof KeysMissing ? undefined : second;
  });
};
