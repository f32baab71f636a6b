import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { Millis, UserId } from '../../kernel/ids.js';
import type { PresenceSeal, SessionPresence, StatedPresence } from '../../kernel/ports/presence.js';
import { parsedJson } from '../../kernel/json.js';
import { decoded, decodedStatement, encoded, encodedStatement } from './storedSessions.js';

/** Everything that a process knew of presence when it stopped. */
export type SavedPresence = {
  readonly at: Millis;
  readonly sessions: readonly SessionPresence[];
  /** With the milliseconds for which each was still to be kept. */
  readonly statements: readonly (readonly [StatedPresence, number])[];
};

/** Where a process that stops leaves presence for the next one. */
export interface PresenceFile {
  save(this: void, saved: SavedPresence): Promise<void>;
  /** The presence that was saved last, once: afterwards it is there no more. */
  take(this: void): Promise<SavedPresence | undefined>;
}

type Stored = {
  readonly at: number;
  readonly sessions: readonly (readonly [user: string, sessions: string])[];
  readonly statements: readonly (readonly [user: string, statement: string, millis: number])[];
};

const about = 'file';

/** Sealed, for its owner alone, and removed as soon as it was read. */
export const presenceFile = (path: string, { seal, open }: PresenceSeal): PresenceFile => ({
  save: async ({ at, sessions, statements }) => {
    const stored: Stored = {
      at,
      sessions: sessions.map((one) => [one.user.toString(), encoded(new Map([[one.session, one]]))]),
      statements: statements.map(([stated, millis]) => [stated.user.toString(), encodedStatement(stated), millis]),
    };
    const next = `${path}.new`;
    await writeFile(next, seal(about, JSON.stringify(stored)), { mode: 0o600 });
    await rename(next, path);
  },
  take: async () => {
    const sealed = await readFile(path, 'utf8').catch(ifMissing);
    if (sealed === undefined) return undefined;
    await rm(path, { force: true });
    const text = open(about, sealed);
    return text === undefined ? undefined : readBack(text);
  },
});

const ifMissing = (error: unknown): undefined => {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
};

/** Only texts that this program sealed come here. */
const readBack = (text: string): SavedPresence => {
  const stored = parsedJson(text) as Stored;
  return {
    at: stored.at as Millis,
    sessions: stored.sessions.flatMap(([user, sessions]) => decoded(BigInt(user) as UserId, sessions)),
    statements: stored.statements.flatMap(([user, statement, millis]) => {
      const stated = decodedStatement(BigInt(user) as UserId, statement);
      return stated === undefined ? [] : [[stated, millis] as const];
    }),
  };
};
