import {
  absent,
  gone,
  type Connection,
  type History,
  type Thing,
  type Told,
  type Version,
  type Written,
  type Setup,
  type Violation,
} from './history.js';

type ByConnection = ReadonlyMap<string, readonly Told[]>;

const byConnection = ({ told }: History): ByConnection => {
  const found = new Map<string, Told[]>();
  for (const one of told) {
    const before = found.get(one.connection) ?? [];
    found.set(one.connection, before);
    before.push(one);
  }
  return found;
};

/** On one connection each version of a thing is told at most once, and none after a later one. */
export const repeatedUpdates = (history: History): readonly Violation[] =>
  [...byConnection(history)].flatMap(([connection, told]) => {
    const last = new Map<Thing, Version>();
    return told.flatMap(({ thing, version }): readonly Violation[] => {
      const before = last.get(thing) ?? absent;
      last.set(thing, Math.max(before, version));
      if (version > before) return [];
      const what = `${connection} was told ${thing} in version ${version.toString()}`;
      return version === before
        ? [{ kind: 'twice', says: `${what} twice` }]
        : [{ kind: 'order', says: `${what} after ${before.toString()}` }];
    });
  });

/** What two connections were both told, they were told in the same order. */
export const differingOrders = (history: History, setup: Setup): readonly Violation[] => {
  const replaced = new Set(
    history.written.flatMap(({ telling, things }) => (telling === 'latest' ? [...things.keys()] : [])),
  );
  // On many nodes deletions of one request are merged by how the log delivers them, and may be placed differently.
  const isOrdered = ({ thing, version }: Told): boolean =>
    !replaced.has(thing) && (setup === 'one node' || version !== gone);
  const orders = [...byConnection(history)].map(([connection, told]) => ({
    connection,
    names: told.filter(isOrdered).map(({ thing, version }) => `${thing}/${version.toString()}`),
  }));
  return orders.flatMap((one, index) => orders.slice(index + 1).flatMap((other) => differing(one, other)));
};

/** On one node the messages of a chat are told in the order of their ids, which is that of the log. */
export const outOfIds = (history: History): readonly Violation[] => {
  const messages = new Map(history.messages.map(({ thing, chat, id }) => [thing, { chat, id }]));
  return [...byConnection(history)].flatMap(([connection, told]) => {
    const newest = new Map<string, bigint>();
    return told.flatMap(({ thing, version }): readonly Violation[] => {
      const { chat, id } = messages.get(thing) ?? {};
      if (version !== 1 || chat === undefined || id === undefined) return [];
      const before = newest.get(chat) ?? 0n;
      newest.set(chat, id > before ? id : before);
      return id > before ? [] : [{ kind: 'order', says: `${connection} was told ${thing} after a newer message` }];
    });
  });
};

type Order = { readonly connection: string; readonly names: readonly string[] };

const differing = (one: Order, other: Order): readonly Violation[] => {
  const places = new Map(one.names.map((name, place) => [name, place]));
  let last = -1;
  for (const name of other.names) {
    const place = places.get(name);
    if (place === undefined) continue;
    if (place < last) {
      const says = `${one.connection} was told ${name} before ${one.names[last] ?? ''}, and ${other.connection} after it`;
      return [{ kind: 'order', says }];
    }
    last = place;
  }
  return [];
};

/** Who was there from before a write began until all was told has been told of it. */
export const lostUpdates = (history: History): readonly Violation[] => {
  const told = byConnection(history);
  return history.connections
    .filter(({ isWhole }) => isWhole)
    .flatMap((connection) => lostOn(connection, told.get(connection.name) ?? [], history.written));
};

const lostOn = (connection: Connection, told: readonly Told[], written: readonly Written[]): readonly Violation[] => {
  const each = new Set(told.map(({ thing, version }) => `${thing}/${version.toString()}`));
  const latest = new Map<Thing, Version>();
  for (const { thing, version } of told) latest.set(thing, Math.max(version, latest.get(thing) ?? absent));
  const owed = written.filter(
    ({ begun, acknowledged, telling, audience }) =>
      telling !== 'nobody' &&
      acknowledged !== undefined &&
      begun > connection.ready &&
      audience?.has(connection.session) !== false,
  );
  return owed.flatMap(({ things, telling }) =>
    [...things].flatMap(([thing, version]): readonly Violation[] => {
      const isTold =
        telling === 'each' ? each.has(`${thing}/${version.toString()}`) : (latest.get(thing) ?? absent) >= version;
      return isTold
        ? []
        : [{ kind: 'lost', says: `${connection.name} was never told ${thing} in version ${version.toString()}` }];
    }),
  );
};
