import { randomBytes } from 'node:crypto';
import type { SessionId, UserId } from '../../kernel/ids.js';
import type { Presence, PresenceSeal, SessionPresence, StatedPresence } from '../../kernel/ports/presence.js';
import type { RedisClient } from '../redis/client.js';
import { keptStatements } from './keptStatements.js';
import { newest } from './storedSessions.js';
import { keptMillis, presenceTables, usersAtOnceMax, type PresenceTables, type SweptUser } from './redisTables.js';

export type RedisPresenceNeeds = {
  readonly redis: Pick<RedisClient, 'commands'>;
  /** For what sessions said, which Redis keeps also when they are gone. */
  readonly seal: PresenceSeal;
  /** Called with an error that the listener of `watch` throws. */
  readonly onListenerError: (error: unknown) => void;
  /** The prefix of all keys. Default: `presencePrefix`. */
  readonly prefix?: string;
  /** How long a node is alive after the last sign of it. Default: `lifetimeMillis`. */
  readonly lifetimeMillis?: number;
};

export interface RedisPresence extends Presence {
  /**
   * Calls the listener with users of whom other nodes may believe something old, although no `put` or `remove` is under
   * way: their node is gone and they did not come back to another one, or it could not reach Redis when they came and
   * went. One node hears it, at most once.
   */
  watch(listener: Watcher): void;
}
export type Watcher = (users: readonly UserId[]) => void | Promise<void>;

export const presencePrefix = 'osmium:presence:';

/** Other nodes see that a node died after this time, and announce it after a quarter more. */
export const lifetimeMillis = 20_000;

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
  readonly #tables: PresenceTables;
  readonly #stop: () => void;
  /** All sessions of this node, of which Redis has a copy. */
  readonly #here = new Map<UserId, Map<SessionId, SessionPresence>>();
  /** Users of whom Redis, or a node that should have been notified, may have something else. */
  readonly #unwritten = new Map<UserId, Telling>();
  /** The statements of sessions here, for times when Redis is away. */
  readonly #statements = keptStatements(() => performance.now());
  /** Users who will be written again though nothing has happened to them. */
  #turns: UserId[] = [];
  #node = freshName();
  /** The name before, until what is left of it is gone. */
  #former: string | undefined;
  #joined = false;
  #connects: number | undefined;
  /** The time from which other nodes hear this one, because a node that lost Redis too may find Redis later. */
  #othersHearAt = 0;
  #catchingUp = false;
  #watcher: Watcher = () => undefined;

  constructor(needs: RedisPresenceNeeds) {
    this.#needs = { prefix: presencePrefix, lifetimeMillis, ...needs };
    this.#tables = presenceTables(needs.redis.commands, this.#needs);
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
    const elsewhere = await this.#tables.read(users, this.#node);
    return users.map((user, index) => newest([...(this.#here.get(user)?.values() ?? [])], elsewhere[index] ?? []));
  }

  async keep(stated: StatedPresence): Promise<void> {
    this.#statements.keep(stated);
    await this.#tables.keep(stated);
  }

  async kept(user: UserId, session: SessionId): Promise<StatedPresence | undefined> {
    const [here, shared] = [this.#statements.of(session), await this.#tables.kept(user, session)];
    return here !== undefined && (shared === undefined || here.at > shared.at) ? here : shared;
  }

  /** The sessions of this node disappear after `returnMillisMax`, and other nodes announce those that did not return. */
  async close(): Promise<void> {
    this.#stop();
    this.#here.clear();
    this.#unwritten.clear();
    if (!this.#joined) return;
    this.#joined = false;
    await this.#tables.leave(this.#node);
  }

  /** A sign of life, with all that Redis should have been sent since the last one. Never rejects. */
  async beat(): Promise<void> {
    const { commands } = this.#needs.redis;
    // It may be another Redis since, or the same one with less in it.
    if (this.#connects !== commands.connects) {
      this.#rename('keep quiet');
      if (this.#connects !== undefined) this.#othersHearAt = performance.now() + this.#beatMillis;
    }
    this.#connects = commands.connects;
    const node = this.#node;
    const seen = await this.#tables.beat(node, this.#joined ? 'stay' : 'join');
    if (seen === undefined || node !== this.#node) return;
    this.#joined = seen.isKnown;
    if (this.#joined) {
      await this.#catchUp(seen.dead);
      return;
    }
    // Other nodes may have announced that this node is gone, so its users are announced again.
    this.#rename('tell');
    await this.beat();
  }

  #rename(telling: Telling): void {
    // Without an announcement other nodes hear of it only when the old name dies, which takes its time.
    if (telling === 'keep quiet' && this.#joined) this.#former = this.#node;
    this.#joined = false;
    this.#node = freshName();
    for (const user of this.#here.keys()) {
      if (telling === 'tell' || !this.#unwritten.has(user)) this.#unwritten.set(user, telling);
    }
  }

  async #enter(user: UserId): Promise<void> {
    if ((await this.#write([user])) && this.#othersHear) return;
    this.#unwritten.set(user, 'tell');
    if (this.#unwritten.size <= unwrittenMax + this.#here.size) return;
    this.#unwritten.clear();
    this.#rename('tell');
  }

  /** Whether it has been written. */
  async #write(users: readonly UserId[]): Promise<boolean> {
    if (!this.#joined) return false;
    const node = this.#node;
    const written = await this.#tables.write(
      node,
      users.map((user) => ({ user, sessions: this.#here.get(user) })),
    );
    if (written === 'unknown node' && node === this.#node) {
      this.#rename('tell');
      void this.beat();
    }
    return written === 'written';
  }

  async #catchUp(dead: readonly string[]): Promise<void> {
    if (this.#catchingUp) return;
    this.#catchingUp = true;
    this.#takeTurns();
    const written = await this.#writeAll();
    // After the write and before the notice, because a notified node reads the users again, and the old name holds
    // their former state.
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

  /** The users of whom other nodes have to be notified now. */
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
    for (;;) {
      const users = await this.#tables.sweep(node, telling === 'tell' ? 'dead' : 'any');
      if (users === undefined) return false;
      if (users.length === 0) return true;
      if (telling === 'tell') await this.#tell(await this.#missing(users));
    }
  }

  /** Those with a session that is at no other node by now. Of the others nobody has to be told anything. */
  async #missing(swept: readonly SweptUser[]): Promise<readonly UserId[]> {
    const present = await this.of(swept.map(({ user }) => user));
    const isBack = ({ sessions }: SweptUser, index: number): boolean =>
      sessions.length > 0 && sessions.every(({ session }) => present[index]?.some((one) => one.session === session));
    return swept.filter((one, index) => !isBack(one, index)).map(({ user }) => user);
  }

  async #tell(users: readonly UserId[]): Promise<void> {
    if (users.length === 0) return;
    // Once more with the next sign of life.
    if (!this.#othersHear) for (const user of users) this.#unwritten.set(user, 'tell');
    try {
      await this.#watcher(users);
    } catch (error) {
      this.#needs.onListenerError(error);
    }
  }

  get #othersHear(): boolean {
    return performance.now() >= this.#othersHearAt;
  }
  get #beatMillis(): number {
    return this.#needs.lifetimeMillis / 4;
  }
}

const freshName = (): string => randomBytes(8).toString('hex');
