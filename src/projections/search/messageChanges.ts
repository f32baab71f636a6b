import type { MessageEvent } from '../../domain/messages/events.js';
import { readEvent, type EventCodec } from '../../kernel/codec.js';
import type { Recorded } from '../../kernel/event.js';
import { isShredded, opened, unless, type Shredded } from '../../kernel/opened.js';
import type { UserId } from '../../kernel/ids.js';
import type { StoredEvent } from '../../kernel/ports/eventLog.js';
import { KeysMissing, SealBroken, type ScopeHasher, type Sealer } from '../../kernel/ports/sealer.js';
import { SealedField } from '../../kernel/sealed.js';
import { after, nextTurn } from '../../kernel/timing.js';
import type { HashedTerm, RecordPlace } from './documents.js';
import type { RecordSealer } from './messageRecords.js';
import type { IndexedChange } from './postingIndex.js';
import { hashOfTerm, termsOf, type Searchable, type Term } from './terms.js';

export type MessageChangesNeeds = { readonly codec: EventCodec; readonly sealer: Sealer };

/** Reads from events what they make of messages in the index. */
export interface MessageChanges {
  /** Whether such an event may change anything there. */
  concerns(stored: StoredEvent): boolean;
  /** Undefined for an event that changes nothing there, and for a message of which a key is destroyed. */
  of(stored: StoredEvent): IndexedChange | undefined | Promise<IndexedChange | undefined>;
}

export const messageChanges = ({ codec, sealer }: MessageChangesNeeds): MessageChanges => {
  const hashed = termHasher(sealer);
  return {
    concerns: (stored) => kindOf(codec.factOf(stored)) !== undefined,
    of: (stored) => {
      const kind = kindOf(codec.factOf(stored));
      if (kind === undefined) return undefined;
      // Which keys seal it is known of the sealed event alone.
      const sealed = codec.readSealed(stored) as Recorded<Indexed> | undefined;
      return after(readEvent(codec, sealer, stored), (read) => {
        const event = read as Recorded<Indexed> | undefined;
        if (sealed === undefined || event === undefined) return undefined;
        const { message, chat } = event.data;
        const common = { position: stored.position, message, chat };
        if (event.type === 'MessageDeleted' || sealed.type === 'MessageDeleted' || kind === 'deleted') {
          return { kind: 'deleted', ...common };
        }
        const keys = keysOf(sealer, sealed.data.text);
        if (keys === undefined) return undefined;
        const content = contentOf(event.data);
        const hashes = content === undefined ? [] : hashed(chat, termsOf(content));
        return after(hashes, (terms): IndexedChange => ({ kind, terms, ...common, ...keys }));
      });
    },
  };
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
const withKeys = <T extends ScopeHasher | Uint8Array | string | Shredded>(
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

/** Under the very keys that seal the message, so that the records go with them. */
export const recordSealer = (sealer: Sealer): RecordSealer => {
  const bindingOf = ({ subject, chat, message }: RecordPlace) => ({
    subject: subject.toString(),
    scope: chat,
    associated: `search\n${message.toString()}`,
  });
  return {
    seal: (plain, of) =>
      after(
        withKeys(sealer, () => unlessRefused(() => sealer.seal(plain, bindingOf(of), of.period))),
        (sealed) => (sealed === undefined || sealed === '' ? undefined : sealer.packed(sealed)),
      ),
    open: async (sealed, of) => {
      const plain = await withKeys(sealer, () => unlessBroken(() => sealer.open(sealed, bindingOf(of))));
      return plain instanceof Uint8Array ? plain : undefined;
    },
  };
};

/** A sealer throws for a key that is destroyed, and for nothing else that can be meant here. */
const unlessRefused = (seal: () => string | KeysMissing): string | KeysMissing => {
  try {
    return seal();
  } catch {
    return '';
  }
};

const unlessBroken = (open: () => Uint8Array | Shredded | KeysMissing): Uint8Array | Shredded | KeysMissing => {
  try {
    return open();
  } catch (error) {
    if (error instanceof SealBroken) return { shredded: true };
    throw error;
  }
};
