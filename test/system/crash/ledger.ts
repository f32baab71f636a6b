import type { Answer } from '../../../src/client/client.js';
import type { ChatRefInit } from '../../../src/gen/refs.js';
import type { RpcPath, RpcPaths, Rpcs } from '../../../src/gen/rpcs.js';
import type { MessageId, UserId } from '../../../src/kernel/ids.js';
import type { Acknowledged, Heard } from './remote.js';

/** What must never happen has happened. */
export class Violation extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Violation';
  }
}

export type Caller = {
  readonly call: <Path extends RpcPath>(
    path: Path,
    request: Rpcs[RpcPaths[Path]]['requestInit'],
  ) => Promise<Answer<Path>>;
};

type Entry = { readonly id: MessageId; readonly author: UserId; readonly text: string };

/** What must be in one chat, from all that was answered. */
export interface Ledger {
  /** Reads on from where it was, and holds it to what was sent and acknowledged since. */
  check(reader: Caller, chatRef: ChatRefInit, sent: Sent): Promise<void>;
  entries(): readonly Entry[];
  deleted(id: MessageId): void;
  /** The user has said that they have read up to here. */
  marked(user: UserId, id: MessageId): void;
  /** How many messages the user must be told that they have not read. */
  unread(user: UserId): number;
}

/** By author: the texts in the order in which they were sent. */
export type Sent = {
  readonly texts: ReadonlyMap<UserId, readonly string[]>;
  readonly acknowledged: readonly Acknowledged[];
};

export const ledger = (): Ledger => {
  const entries: Entry[] = [];
  const gone = new Set<MessageId>();
  const markers = new Map<UserId, MessageId>();
  return {
    check: async (reader, chatRef, sent) => {
      const found = await historySince(reader, chatRef, entries.at(-1)?.id ?? beforeAllMessages);
      compare(found, sent);
      entries.push(...found);
      for (const { author, id } of found) markers.set(author, id);
    },
    entries: () => entries,
    deleted: (id) => {
      gone.add(id);
    },
    marked: (user, id) => {
      if (id > (markers.get(user) ?? 0n)) markers.set(user, id);
    },
    unread: (user) => {
      const marker = markers.get(user) ?? 0n;
      return entries.filter(({ id, author }) => id > marker && author !== user && !gone.has(id)).length;
    },
  };
};

const beforeAllMessages = 1n as MessageId;
const pageMessages = 100;

export const historySince = async (
  { call }: Caller,
  chatRef: ChatRefInit,
  after: MessageId,
): Promise<readonly Entry[]> => {
  const entries: Entry[] = [];
  for (;;) {
    const since = entries.at(-1)?.id ?? after;
    const { messages } = await call('messages.getHistory', { chatRef, since, limit: pageMessages });
    if (messages.length === 0) return entries;
    const page = messages.map(({ messageId: id, authorId: author, message: text }) => ({ id, author, text }));
    entries.push(...page.toSorted((one, other) => (one.id < other.id ? -1 : 1)));
  }
};

const compare = (found: readonly Entry[], { texts, acknowledged }: Sent): void => {
  const times = new Map<string, number>();
  for (const { text } of found) times.set(text, (times.get(text) ?? 0) + 1);
  for (const [text, count] of times) if (count > 1) throw new Violation(`"${text}" is there ${count.toString()} times`);
  const ids = new Map(found.map(({ text, id }) => [text, id]));
  for (const { message, id } of acknowledged) {
    const there = ids.get(message);
    if (there === undefined) throw new Violation(`"${message}" was acknowledged and is not there`);
    if (there !== id)
      throw new Violation(`"${message}" was acknowledged as ${id.toString()} and is ${there.toString()}`);
  }
  for (const [author, wanted] of texts) {
    const own = found.filter((entry) => entry.author === author).map(({ text }) => text);
    if (own.join('\n') === wanted.join('\n')) continue;
    const at = wanted.findIndex((text, index) => text !== own[index]);
    throw new Violation(`where "${String(wanted[at])}" should be in the order of its author is "${String(own[at])}"`);
  }
};

/** Holds what one client heard to what there was to hear. */
export interface Hearing {
  /** `all`: every message that the client may see, oldest first. */
  check(heard: readonly Heard[], all: readonly MessageId[]): void;
}

/** Everything once and in order, from the first message that came over a connection to the last one. */
export const hearing = (name: string): Hearing => {
  let looked = 0;
  let last: Heard | undefined;
  return {
    check: (heard, all) => {
      const places = new Map(all.map((id, index) => [id, index]));
      for (const one of heard.slice(looked)) {
        const place = places.get(one.id);
        if (place === undefined) throw new Violation(`${name} was told of ${one.id.toString()}, which there is not`);
        const before = last?.socket === one.socket ? places.get(last.id) : undefined;
        if (before !== undefined && place !== before + 1) {
          const what = place > before ? `missed ${(place - before - 1).toString()}` : 'was told again of some';
          throw new Violation(`${name} ${what} before ${one.id.toString()}, on one connection`);
        }
        last = one;
      }
      looked = heard.length;
    },
  };
};
