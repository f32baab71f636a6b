import type { SessionId, UserId } from '../../kernel/ids.js';
import {
  returnMillisMax,
  statedMillisMax,
  type PresenceSeal,
  type SessionPresence,
  type StatedPresence,
} from '../../kernel/ports/presence.js';
import type { RedisConnection } from '../redis/connection.js';
import type { CommandPart } from '../redis/pipeline.js';
import type { Script } from '../redis/script.js';
import { beating, keeping, leaving, reading, sweeping, writing } from './redisScripts.js';
import { decoded, decodedStatement, encoded, encodedStatement } from './storedSessions.js';

/** How long anything is kept that nobody writes again. Each node writes all it has twice in this time. */
export const keptMillis = 600_000;

/** Users that are written, read or swept at once, so that Redis is never kept busy for more than a millisecond or two. */
export const usersAtOnceMax = 500;

/**
 * The presence that Redis holds. Nothing here rejects; where Redis did not do it, or did not say so, there is no
 * answer.
 */
export interface PresenceTables {
  /** A sign of life. A node that only wants to stay may be known no more; then it has to join under another name. */
  beat(
    node: string,
    how: 'join' | 'stay',
  ): Promise<{ readonly isKnown: boolean; readonly dead: readonly string[] } | undefined>;
  /** At most `usersAtOnceMax`. Nothing is written for a node that is known no more. */
  write(node: string, entries: readonly UserEntry[]): Promise<'written' | 'unknown node' | undefined>;
  /** For each of the users the sessions at living nodes other than the one that asks. */
  read(users: readonly UserId[], asking: string): Promise<readonly (readonly SessionPresence[])[]>;
  /**
   * Removes some of what is left of a node and answers with the users and the sessions that they had there; with none
   * when nothing is left to remove.
   */
  sweep(node: string, which: 'dead' | 'any'): Promise<readonly SweptUser[] | undefined>;
  /** Nobody sees what the node had any more, once `returnMillisMax` is over. */
  leave(node: string): Promise<void>;
  /** Unless something is kept that the session said later. */
  keep(stated: StatedPresence): Promise<void>;
  kept(user: UserId, session: SessionId): Promise<StatedPresence | undefined>;
}

/** A user, and the sessions at the node that writes; none removes the user there. */
export type UserEntry = {
  readonly user: UserId;
  readonly sessions: ReadonlyMap<SessionId, SessionPresence> | undefined;
};

export type SweptUser = { readonly user: UserId; readonly sessions: readonly SessionPresence[] };

type Options = { readonly prefix: string; readonly lifetimeMillis: number; readonly seal: PresenceSeal };

export const presenceTables = (
  commands: Pick<RedisConnection, 'send' | 'run'>,
  { prefix, lifetimeMillis, seal }: Options,
): PresenceTables => {
  const nodes = `${prefix}nodes`;
  const at = (node: string): string => `${prefix}at:${node}`;
  const userKey = (user: UserId | ''): string => `${prefix}user:${user.toString()}`;
  const run = (script: Script, keys: readonly string[], values: readonly CommandPart[]): Promise<unknown> =>
    commands.run(script, keys, values).catch(() => undefined);

  // Activities are told by their names; of the others nothing but the status is there to see.
  const textOf = (user: UserId, sessions: UserEntry['sessions']): string => {
    const text = encoded(sessions);
    const isTelling = [...(sessions?.values() ?? [])].some(({ activities }) => activities.length > 0);
    return isTelling ? seal.seal(user.toString(), text) : text;
  };
  const sessionsIn = (user: UserId, text: string): readonly SessionPresence[] =>
    decoded(user, text.startsWith('[') ? text : (seal.open(user.toString(), text) ?? ''));
  const readSome = async (users: readonly UserId[], asking: string): Promise<readonly SessionPresence[][]> => {
    const found = users.map((): SessionPresence[] => []);
    const reply = await run(reading, [nodes, ...users.map(userKey)], [asking]);
    if (!Array.isArray(reply)) return found;
    for (let place = 0; place < reply.length; place += 2) {
      const index = Number(reply[place]);
      const user = users[index];
      if (user !== undefined) found[index]?.push(...sessionsIn(user, String(reply[place + 1])));
    }
    return found;
  };
  return {
    beat: async (node, how) => {
      // Writes must not overtake each other, as they would if the first ones found that Redis does not know the script.
      if (how === 'join') commands.send('SCRIPT', 'LOAD', writing.text).catch(() => undefined);
      const reply = await run(beating, [nodes, at(node)], [node, lifetimeMillis, keptMillis, how]);
      if (!Array.isArray(reply)) return undefined;
      const [known, ...dead] = reply as readonly unknown[]; // of which nothing else is known
      return { isKnown: known === 1, dead: dead.map(String) };
    },
    write: async (node, entries) => {
      const keys = [nodes, at(node), ...entries.map(({ user }) => userKey(user))];
      const values = entries.flatMap(({ user, sessions }) => [user.toString(), textOf(user, sessions)]);
      const reply = await run(writing, keys, [node, keptMillis, ...values]);
      if (reply === 0) return 'unknown node';
      return reply === 1 ? 'written' : undefined;
    },
    read: async (users, asking) => (await Promise.all(chunksOf(users).map((some) => readSome(some, asking)))).flat(),
    sweep: async (node, which) => {
      const users = await run(sweeping, [nodes, at(node)], [node, usersAtOnceMax, userKey(''), which]);
      return Array.isArray(users) ? sweptIn(users, sessionsIn) : undefined;
    },
    leave: async (node) => {
      await run(leaving, [nodes], [node, Math.min(returnMillisMax, lifetimeMillis)]);
    },
    ...statementTable(commands, { prefix, seal }),
  };
};

const statementTable = (
  commands: Pick<RedisConnection, 'send' | 'run'>,
  { prefix, seal }: Pick<Options, 'prefix' | 'seal'>,
): Pick<PresenceTables, 'keep' | 'kept'> => {
  const keyOf = (session: SessionId): string => `${prefix}stated:${session.toString()}`;
  const aboutOf = (user: UserId, session: SessionId): string => `${user.toString()}.${session.toString()}`;
  return {
    keep: async (stated) => {
      const said = seal.seal(aboutOf(stated.user, stated.session), encodedStatement(stated));
      await commands.run(keeping, [keyOf(stated.session)], [stated.at, said, statedMillisMax]).catch(() => undefined);
    },
    kept: async (user, session) => {
      const said = await commands.send('HGET', keyOf(session), 'said').catch(() => undefined);
      const text = typeof said === 'string' ? seal.open(aboutOf(user, session), said) : undefined;
      return text === undefined ? undefined : decodedStatement(user, text);
    },
  };
};

/** As `writing` was given them. Never throws, since nobody waits for a sign of life. */
const sweptIn = (
  texts: readonly unknown[],
  sessionsIn: (user: UserId, text: string) => readonly SessionPresence[],
): readonly SweptUser[] => {
  const swept: SweptUser[] = [];
  for (let place = 0; place < texts.length; place += 2) {
    const [text, sessions] = [String(texts[place]), String(texts[place + 1])];
    if (!/^\d{1,20}$/.test(text)) continue;
    const user = BigInt(text) as UserId;
    swept.push({ user, sessions: sessionsIn(user, sessions) });
  }
  return swept;
};

const chunksOf = (users: readonly UserId[]): readonly (readonly UserId[])[] =>
  Array.from({ length: Math.ceil(users.length / usersAtOnceMax) }, (_, index) =>
    users.slice(index * usersAtOnceMax, (index + 1) * usersAtOnceMax),
  );
