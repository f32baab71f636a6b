import { randomBytes } from 'node:crypto';
import type { Millis, SessionId, UserId } from '../../kernel/ids.js';
import type { Activity, Presence, SessionPresence, Status } from '../../kernel/ports/presence.js';
import type { CommandPart, RedisClient, Script } from '../redis/connection.js';
import { beating, reading, sweeping, writing } from './redisScripts.js';

export type RedisPresenceNeeds = {
  readonly redis: Pick<RedisClient, 'commands'>;
  /** Told of what the listener of `watch` throws. */
  readonly onListenerError: (error: unknown) => void;
  /** What all keys begin with. Default: `presencePrefix`. */
  readonly prefix?: string;
  /** How long a node is alive after the last sign of it. Default: `lifetimeMillis`. */
  readonly lifetimeMillis?: number;
};

export interface RedisPresence extends Presence {
  /**
   * Calls the listener with users of whom other nodes may believe something old, although no `put` or `remove` is under
   * way: their node died, or it could not reach Redis when they came and went. One node hears it, at most once.
   */
  watch(listener: Watcher): void;
}
export type Watcher = (users: readonly UserId[]) => void | Promise<void>;

export const presencePrefix = 'osmium:presence:';

/** Others see that a node died after this time, and tell it after a quarter more. */
export const lifetimeMillis = 20_000;

/** How long anything is kept that nobody writes again. Each node writes all it has twice in this time. */
export const keptMillis = 600_000;

/** Users that are written, read or swept at once, so that Redis is never kept busy for more than a millisecond or two. */
export const usersAtOnceMax = 500;

/** Users whose changes wait for Redis. When there are more, the node enters all it has under a new name. */
export const unwrittenMax = 10_000;

/** Resolves when this node has entered Redis, or could not: then it goes on alone and enters when it can. */
export const redisPresence = async (needs: RedisPresenceNeeds): Promise<RedisPresence> => {
  const presence = new SharedPresence(needs);
  await presence.beat();
  return presence;
};

type Telling = 'tell' | 'keep quiet';

class SharedPresence implements RedisPresence {
  readonly #needs: Required<RedisPresenceNeeds>;
  readonly #stop: () => void;
  /** Everything of this node: what Redis has of it is a copy. */
  readonly #here = new Map<UserId, Map<SessionId, SessionPresence>>();
  /** Users of whom Redis may have something else. */
  readonly #unwritten = new Map<UserId, Telling>();
  /** Users who will be written again though nothing has happened to them. */
  #turns: UserId[] = [];
  #node = freshName();
  /** The name before, until what is left of it is gone. */
  #former: string | undefined;
  #joined = false;
  #connects = 0;
  #catchingUp = false;
  #watcher: Watcher = () => undefined;

  constructor(needs: RedisPresenceNeeds) {
    this.#needs = { prefix: presencePrefix, lifetimeMillis, ...needs };
    const again = (): void => void this.beat();
    const timer = setInterval(again, this.#beatMillis).unref();
    const stop = needs.redis.commands.onUsable(again);
    this.#stop = () => {
      clearInterval(timer);
      stop();
    };
  }

  watch(listener: Watcher): void {
    this.#watcher = listener;
  }

  async put(presence: SessionPresence): Promise<void> {
    const sessions = this.#here.get(presence.user) ?? new Map<SessionId, SessionPresence>();
    this.#here.set(presence.user, sessions.set(presence.session, presence));
    await this.#enter(presence.user);
  }

  async remove(user: UserId, session: SessionId): Promise<void> {
    const sessions = this.#here.get(user);
    if (sessions?.delete(session) !== true) return;
    if (sessions.size === 0) this.#here.delete(user);
    await this.#enter(user);
  }

  async of(users: readonly UserId[]): Promise<readonly (readonly SessionPresence[])[]> {
    const elsewhere = await Promise.all(chunksOf(users).map((chunk) => this.#elsewhere(chunk)));
    return users.map((user, index) => {
      const here = [...(this.#here.get(user)?.values() ?? [])];
      const chunk = elsewhere[Math.floor(index / usersAtOnceMax)];
      return newest(here, chunk?.get(index % usersAtOnceMax) ?? []);
    });
  }

  /** Nobody sees what this node had any more, and others tell it with their next sign of life. */
  async close(): Promise<void> {
    this.#stop();
    this.#here.clear();
    this.#unwritten.clear();
    if (!this.#joined) return;
    this.#joined = false;
    await this.#needs.redis.commands.send('ZADD', this.#nodes, 'XX', 0, this.#node).catch(() => undefined);
  }

  /** A sign of life, and whatever Redis should have been told since the last one. Never rejects. */
  async beat(): Promise<void> {
    const { redis, lifetimeMillis: lifetime } = this.#needs;
    // It may be another Redis since, or the same one with less in it.
    if (this.#connects !== redis.commands.connects) this.#rename('keep quiet');
    this.#connects = redis.commands.connects;
    const node = this.#node;
    // Writes must not overtake each other, as they would if the first ones found that Redis does not know the script.
    if (!this.#joined) redis.commands.send('SCRIPT', 'LOAD', writing.text).catch(() => undefined);
    const values = [node, lifetime, keptMillis, this.#joined ? 'stay' : 'join'];
    const reply = await this.#run(beating, [this.#nodes, this.#at(node)], values);
    if (!Array.isArray(reply) || node !== this.#node) return;
    const [alive, ...dead] = reply as readonly unknown[]; // of which nothing else is known
    this.#joined = alive === 1;
    if (this.#joined) {
      await this.#catchUp(dead.map(String));
      return;
    }
    // Others may have told that this node is gone, so they have to tell that it is not.
    this.#rename('tell');
    await this.beat();
  }

  #rename(telling: Telling): void {
    // Without a word others are told when the old name dies, which takes its time.
    if (telling === 'keep quiet' && this.#joined) this.#former = this.#node;
    this.#joined = false;
    this.#node = freshName();
    for (const user of this.#here.keys()) {
      if (telling === 'tell' || !this.#unwritten.has(user)) this.#unwritten.set(user, telling);
    }
  }

  async #enter(user: UserId): Promise<void> {
    if (await this.#write([user])) return;
    this.#unwritten.set(user, 'tell');
    if (this.#unwritten.size <= unwrittenMax + this.#here.size) return;
    this.#unwritten.clear();
    this.#rename('tell');
  }

  /** Whether it has been written. */
  async #write(users: readonly UserId[]): Promise<boolean> {
    if (!this.#joined) return false;
    const node = this.#node;
    const keys = [this.#nodes, this.#at(node), ...users.map((user) => this.#user(user))];
    const values = users.flatMap((user) => [user.toString(), encoded(this.#here.get(user))]);
    const reply = await this.#run(writing, keys, [node, keptMillis, ...values]);
    if (reply === 0 && node === this.#node) {
      this.#rename('tell');
      void this.beat();
    }
    return reply === 1;
  }

  async #catchUp(dead: readonly string[]): Promise<void> {
    if (this.#catchingUp) return;
    this.#catchingUp = true;
    this.#takeTurns();
    const written = await this.#writeAll();
    // Only then: what is told is read again, and the old name says what was.
    if (this.#former !== undefined && (await this.#sweep(this.#former, 'keep quiet'))) this.#former = undefined;
    await this.#tell(written);
    for (const node of dead) await this.#sweep(node, 'tell');
    this.#catchingUp = false;
  }

  /** Writes a few again that nothing has happened to, so that nothing here expires or stays wrong for ever. */
  #takeTurns(): void {
    // A copy: an iterator that is kept would keep every table that the map has ever had.
    if (this.#turns.length === 0) this.#turns = [...this.#here.keys()];
    const count = Math.ceil((this.#here.size * 2 * this.#beatMillis) / keptMillis);
    for (const user of this.#turns.splice(-count, count)) {
      if (this.#here.has(user) && !this.#unwritten.has(user)) this.#unwritten.set(user, 'keep quiet');
    }
  }

  /** The users of whom others have to be told now. */
  async #writeAll(): Promise<readonly UserId[]> {
    const told: UserId[] = [];
    while (this.#unwritten.size > 0) {
      const chunk = [...this.#unwritten].slice(0, usersAtOnceMax);
      for (const [user, telling] of chunk) {
        this.#unwritten.delete(user);
        if (telling === 'tell') told.push(user);
      }
      if (await this.#write(chunk.map(([user]) => user))) continue;
      for (const [user, telling] of chunk) if (!this.#unwritten.has(user)) this.#unwritten.set(user, telling);
      for (const user of told) this.#unwritten.set(user, 'tell');
      return [];
    }
    return told;
  }

  /** Whether nothing of the node is left. */
  async #sweep(node: string, telling: Telling): Promise<boolean> {
    const which = telling === 'tell' ? 'dead' : 'any';
    for (;;) {
      const values = [node, usersAtOnceMax, this.#user(''), which];
      const users = await this.#run(sweeping, [this.#nodes, this.#at(node)], values);
      if (!Array.isArray(users)) return false;
      if (users.length === 0) return true;
      if (telling === 'tell') await this.#tell(usersIn(users));
    }
  }

  async #tell(users: readonly UserId[]): Promise<void> {
    if (users.length === 0) return;
    try {
      await this.#watcher(users);
    } catch (error) {
      this.#needs.onListenerError(error);
    }
  }

  async #elsewhere(users: readonly UserId[]): Promise<ReadonlyMap<number, readonly SessionPresence[]>> {
    const found = new Map<number, readonly SessionPresence[]>();
    const reply = await this.#run(reading, [this.#nodes, ...users.map((user) => this.#user(user))], [this.#node]);
    if (!Array.isArray(reply)) return found;
    for (let place = 0; place < reply.length; place += 2) {
      const index = Number(reply[place]);
      const user = users[index];
      if (user !== undefined)
        found.set(index, [...(found.get(index) ?? []), ...decoded(user, String(reply[place + 1]))]);
    }
    return found;
  }

  /** `undefined` when Redis did not do it, or did not say so. */
  async #run(script: Script, keys: readonly string[], values: readonly CommandPart[]): Promise<unknown> {
    try {
      return await this.#needs.redis.commands.run(script, keys, values);
    } catch {
      return undefined;
    }
  }

  get #beatMillis(): number {
    return this.#needs.lifetimeMillis / 4;
  }
  get #nodes(): string {
    return `${this.#needs.prefix}nodes`;
  }
  #at(node: string): string {
    return `${this.#needs.prefix}at:${node}`;
  }
  #user(user: UserId | ''): string {
    return `${this.#needs.prefix}user:${user.toString()}`;
  }
}

/** As `writing` was given them. Never throws, since nobody waits for a sign of life. */
const usersIn = (texts: readonly unknown[]): readonly UserId[] =>
  texts
    .filter((text) => typeof text === 'string' && /^\d{1,20}$/.test(text))
    .map((text) => BigInt(String(text)) as UserId);

const freshName = (): string => randomBytes(8).toString('hex');

const chunksOf = (users: readonly UserId[]): readonly (readonly UserId[])[] =>
  Array.from({ length: Math.ceil(users.length / usersAtOnceMax) }, (_, index) =>
    users.slice(index * usersAtOnceMax, (index + 1) * usersAtOnceMax),
  );

/** A session that has moved is at two nodes for a moment. */
const newest = (
  here: readonly SessionPresence[],
  elsewhere: readonly SessionPresence[],
): readonly SessionPresence[] => {
  if (elsewhere.length === 0) return here;
  const sessions = new Map<SessionId, SessionPresence>();
  for (const presence of [...here, ...elsewhere]) {
    const other = sessions.get(presence.session);
    if (other === undefined || other.lastActive < presence.lastActive) sessions.set(presence.session, presence);
  }
  return [...sessions.values()];
};

/** JSON has no 64-bit numbers. */
type StoredActivity = Omit<Activity, 'startTime' | 'endTime'> & {
  readonly startTime: string;
  readonly endTime?: string;
};
type StoredSession = {
  readonly session: string;
  readonly status: Status;
  readonly activities: readonly StoredActivity[];
  readonly lastActive: number;
};

/** Empty for no sessions. */
const encoded = (sessions: ReadonlyMap<SessionId, SessionPresence> | undefined): string => {
  if (sessions === undefined) return '';
  const stored = [...sessions.values()].map(({ session, status, activities, lastActive }): StoredSession => ({
    session: session.toString(),
    status,
    activities: activities.map(({ startTime, endTime, ...activity }) => ({
      ...activity,
      startTime: startTime.toString(),
      ...(endTime === undefined ? {} : { endTime: endTime.toString() }),
    })),
    lastActive,
  }));
  return JSON.stringify(stored);
};

const decoded = (user: UserId, text: string): readonly SessionPresence[] => {
  try {
    // Written by `encoded` on another node.
    return (JSON.parse(text) as readonly StoredSession[]).map(({ session, status, activities, lastActive }) => ({
      user,
      session: BigInt(session) as SessionId,
      status,
      activities: activities.map(({ startTime, endTime, ...activity }) => ({
        ...activity,
        startTime: BigInt(startTime),
        ...(endTime === undefined ? {} : { endTime: BigInt(endTime) }),
      })),
      lastActive: lastActive as Millis,
    }));
  } catch {
    // A node of another version has written it. To this one its users are away.
    return [];
  }
};
