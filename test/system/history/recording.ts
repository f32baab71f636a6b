import type { MessageId } from '../../../src/kernel/ids.js';
import {
  absent,
  gone,
  type Connection,
  type Counted,
  type History,
  type Moment,
  type Seen,
  type SentMessage,
  type Setup,
  type Thing,
  type Told,
  type Version,
  type Written,
} from './history.js';

/** A message as an answer or an update shows it. Its text names it, and its version. */
export type Shown = { readonly id: MessageId; readonly text: string };

/** The newest messages of a chat that one request found. */
export type Page = Pick<Seen, 'session' | 'begun' | 'ended'> & {
  readonly chat: string;
  readonly messages: readonly Shown[];
  /** There is nothing older. */
  readonly isWhole: boolean;
};

type RawTold = Pick<Told, 'connection' | 'at'> & { readonly shown: Shown | { readonly deleted: MessageId } };

type OpenConnection = { -readonly [Field in keyof Connection]: Connection[Field] };

/** Takes down what happens, in one order for all clients, and makes a history of it in the end. */
export class Recording {
  private now: Moment = 0;
  private readonly written: Written[] = [];
  private readonly seen: Seen[] = [];
  private readonly pages: Page[] = [];
  private readonly counted: Counted[] = [];
  private readonly told: (Told | RawTold)[] = [];
  private readonly connections: OpenConnection[] = [];
  private readonly sent = new Map<Thing, Omit<SentMessage, 'thing' | 'id'>>();

  moment(): Moment {
    return (this.now += 1);
  }

  wrote(write: Written): void {
    this.written.push(write);
  }

  /** A message is on its way, which this text names. */
  sends(text: string, chat: string, session: string): void {
    this.sent.set(thingIn(text), { chat, session });
  }

  saw(seen: Seen): void {
    this.seen.push(seen);
  }

  sawPage(page: Page): void {
    this.pages.push(page);
  }

  count(counted: Counted): void {
    this.counted.push(counted);
  }

  wasTold(told: Omit<Told, 'at'> | Omit<RawTold, 'at'>): void {
    this.told.push({ ...told, at: this.moment() });
  }

  /** Answers the way to say that it has ended. Until then it is taken for whole. */
  connected(connection: Omit<Connection, 'isWhole'>): () => void {
    const one = { ...connection, isWhole: true };
    this.connections.push(one);
    return () => {
      one.isWhole = false;
    };
  }

  history(setup: Setup): History {
    const { ids, strange } = this.idsFound();
    const byId = new Map([...ids].map(([thing, id]) => [id, thing]));
    const messages = [...this.sent].map(([thing, of]): SentMessage => {
      const id = ids.get(thing);
      return { thing, ...of, ...(id === undefined ? {} : { id }) };
    });
    const { written, counted, connections } = this;
    const all = { inChat: messagesByChat(messages), begun: begunIn(written), setup };
    const seen = [...this.seen, ...this.pages.map((page) => seenIn(page, all))];
    const told = this.told.map((one) => ('shown' in one ? toldOf(one, byId) : one));
    return { written, counted, connections, seen, told, messages, strange };
  }

  /** What shows a message shows its id as well; each time it must be the same. */
  private idsFound(): { readonly ids: ReadonlyMap<Thing, MessageId>; readonly strange: readonly string[] } {
    const ids = new Map<Thing, MessageId>();
    const strange: string[] = [];
    const inUpdates = this.told.flatMap((one) => ('shown' in one && 'text' in one.shown ? one.shown : []));
    for (const { id, text } of [...this.pages.flatMap(({ messages }) => messages), ...inUpdates]) {
      const thing = thingIn(text);
      const known = ids.get(thing) ?? id;
      ids.set(thing, known);
      if (known !== id) strange.push(`${thing} has the ids ${known.toString()} and ${id.toString()}`);
      if (!this.sent.has(thing)) strange.push(`nobody sent ${text}`);
    }
    return { ids, strange };
  }
}

export const textOf = (thing: Thing, version: Version): string => `${thing}/${version.toString()}`;
const thingIn = (text: string): Thing => text.slice(0, text.lastIndexOf('/'));
export const versionIn = (text: string): Version => Number(text.slice(text.lastIndexOf('/') + 1));

const toldOf = ({ shown, ...told }: RawTold, byId: ReadonlyMap<MessageId, Thing>): Told =>
  'text' in shown
    ? { ...told, thing: thingIn(shown.text), version: versionIn(shown.text) }
    : { ...told, thing: byId.get(shown.deleted) ?? `the message ${shown.deleted.toString()}`, version: gone };

type Write = { readonly at: Moment; readonly version: Version; readonly sure: Moment };
type Begun = ReadonlyMap<Thing, readonly Write[]>;

const begunIn = (written: readonly Written[]): Begun => {
  const begun = new Map<Thing, Write[]>();
  for (const { begun: at, acknowledged: sure = Infinity, things } of written) {
    for (const [thing, version] of things) {
      const writes = begun.get(thing) ?? [];
      begun.set(thing, writes);
      writes.push({ at, version, sure });
    }
  }
  return begun;
};

type Placed = { readonly thing: Thing; readonly id: bigint };
type InChat = ReadonlyMap<string, readonly Placed[]>;

const messagesByChat = (messages: readonly SentMessage[]): InChat => {
  const byChat = new Map<string, Placed[]>();
  for (const { thing, id, chat } of messages) {
    if (id === undefined) continue;
    const placed = byChat.get(chat) ?? [];
    byChat.set(chat, placed);
    placed.push({ thing, id });
  }
  for (const placed of byChat.values()) placed.sort((one, other) => (one.id < other.id ? -1 : 1));
  return byChat;
};

/** Ids are nearly in the order in which messages were begun: after so many of later ones in a row only such follow. */
const laterMax = 500;

/**
 * The versions that a page shows. A message in its range that it does not show is not there yet, or not any more; which
 * of them follows from what had begun.
 */
const seenIn = (
  { session, begun: from, ended, chat, messages: shown, isWhole }: Page,
  { inChat, begun, setup }: { readonly inChat: InChat; readonly begun: Begun; readonly setup: Setup },
): Seen => {
  const things = new Map(shown.map(({ text }) => [thingIn(text), versionIn(text)]));
  const oldest = isWhole ? 0n : shown.reduce((lowest, { id }) => (id < lowest ? id : lowest), shown[0]?.id ?? 0n);
  const placed = inChat.get(chat) ?? [];
  let later = 0;
  for (let at = firstFrom(placed, oldest); at < placed.length && later < laterMax; at += 1) {
    const { thing = '' } = placed[at] ?? {};
    const writes = begun.get(thing) ?? [];
    if (writes.every((write) => write.at > ended)) later += 1;
    else if (!things.has(thing)) notShown(things, thing, { writes, from, ended, setup });
  }
  return { session, begun: from, ended, things };
};

type NotShown = Pick<Seen, 'ended'> & {
  readonly writes: readonly Write[];
  readonly from: Moment;
  readonly setup: Setup;
};

const notShown = (things: Map<Thing, Version>, thing: Thing, { writes, from, ended, setup }: NotShown): void => {
  const isSent = writes.some(({ version, sure }) => version === 1 && sure < from);
  const mayBeGone = writes.some(({ version, at }) => version === gone && at < ended);
  if (!mayBeGone) things.set(thing, absent);
  // Of several nodes one may not have it yet, though it was acknowledged; so nobody can tell.
  else if (isSent && setup === 'one node') things.set(thing, gone);
};

const firstFrom = (placed: readonly Placed[], id: bigint): number => {
  let [low, high] = [0, placed.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((placed[middle]?.id ?? 0n) < id) low = middle + 1;
    else high = middle;
  }
  return low;
};
