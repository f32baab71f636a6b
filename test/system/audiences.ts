import type { UpdateName } from '../../src/gen/rpcs.js';
import { UserStatusStatus } from '../../src/gen/types.js';
import type { Update } from '../../src/gen/updates.js';
import type { UserId } from '../../src/kernel/ids.js';
import type { Received } from '../gateway/rig/rawClient.js';
import { described, type Names } from './describe.js';
import { savedMessages, say } from './places.js';
import type { Seat } from './seat.js';

/** What each seat heard, by the seat's name. */
export type Heard<Name extends string> = Readonly<Record<Name, readonly string[]>>;

/** Listens on several connections at once. */
export interface Audience<Name extends string> {
  /** What came because of this. Ends when everybody has heard a message that was sent after it. */
  hears(work: () => Promise<unknown>): Promise<Heard<Name>>;
  /**
   * The same for what is no event and so not in order with others: waits until everybody has heard as much as is
   * expected. A status counts when it is another one than before: nodes tell it at least once, and again whenever one
   * of them may have missed it. Of somebody of whom nothing was heard it begins as online.
   */
  hearsSoon(work: () => Promise<unknown>, expected: Heard<Name>): Promise<Heard<Name>>;
}

type Need<Name extends string> = {
  readonly seats: Readonly<Record<Name, Seat>>;
  readonly names: Names;
  /** Comes with people who come and go, and is no consequence of what is done. */
  readonly ignored: ReadonlySet<UpdateName>;
};

/** Of those who do not subscribe, only the end of the connection tells that nothing came: they are asked something. */
export const audience = <Name extends string>({ seats, names, ignored }: Need<Name>): Audience<Name> => {
  // The seats' own keys.
  const all = Object.entries(seats) as [Name, Seat][];
  let markers = 0;

  const marked = async (): Promise<string> => {
    markers += 1;
    const text = `marker ${markers.toString()}`;
    const speakers = new Map(all.map(([, seat]) => [seat.user, seat]));
    await Promise.all([...speakers.values()].map((seat) => say(seat, savedMessages, text)));
    await Promise.all(
      all.map(([, seat]) => (isDeaf(seat) ? seat.raw.settled() : seat.update((update) => isMarker(update, text)))),
    );
    return text;
  };
  const since = (marks: ReadonlyMap<Seat, number>, fits: (update: Update) => boolean): Heard<Name> =>
    mapped(seats, (seat) =>
      updatesIn(seat.raw.received.slice(marks.get(seat)))
        .filter(fits)
        .map((update) => described(update, names)),
    );
  const now = (): ReadonlyMap<Seat, number> => new Map(all.map(([, seat]) => [seat, seat.raw.received.length]));
  const newsTo = (seat: Seat): readonly Update[] => withoutRepeats(updatesIn(seat.raw.received));

  return {
    hears: async (work) => {
      const from = now();
      await work();
      const text = await marked();
      return since(from, (update) => !isMarker(update, text) && !isOf(ignored, update));
    },
    hearsSoon: async (work, expected) => {
      const from = new Map(all.map(([, seat]) => [seat, newsTo(seat).length]));
      const news = (seat: Seat): readonly Update[] => newsTo(seat).slice(from.get(seat));
      await work();
      await Promise.all(all.map(([name, seat]) => seat.raw.find(() => expected[name].length <= news(seat).length)));
      const text = await marked();
      return mapped(seats, (seat) =>
        news(seat)
          .filter((update) => !isMarker(update, text))
          .map((update) => described(update, names)),
      );
    },
  };
};

/** The same for each of several. */
export const mapped = <Name extends string, From, To>(
  values: Readonly<Record<Name, From>>,
  change: (value: From) => To,
): Readonly<Record<Name, To>> => {
  // It gets all the names right below.
  const changed = {} as Record<Name, To>;
  for (const name of Object.keys(values) as Name[]) changed[name] = change(values[name]);
  return changed;
};

const deaf = new WeakSet<Seat>();
/** A seat that asked for no updates. */
export const isDeaf = (seat: Seat): boolean => deaf.has(seat);
export const deafened = (seat: Seat): Seat => {
  deaf.add(seat);
  return seat;
};

const updatesIn = (received: readonly Received[]): readonly Update[] => received.flatMap(({ update }) => update ?? []);

const withoutRepeats = (updates: readonly Update[]): readonly Update[] => {
  const known = new Map<UserId, UserStatusStatus | undefined>();
  return updates.filter(({ userStatus }) => {
    if (userStatus === undefined) return true;
    const { userId, status } = userStatus;
    const before = known.has(userId) ? known.get(userId) : UserStatusStatus.ONLINE;
    known.set(userId, status?.status);
    return status?.status !== before;
  });
};

const isMarker = ({ messageCreated }: Update, text: string): boolean =>
  messageCreated?.message?.message === text && messageCreated.message.chatRef?.self !== undefined;

const isOf = (names: ReadonlySet<UpdateName>, update: Update): boolean =>
  Object.keys(update).some((name) => (names as ReadonlySet<string>).has(name));
