import type { Clock } from '../../kernel/ports/system.js';
import { IoredisConnection, type RedisConnection, type RedisTrouble } from './connection.js';

export type RedisNeeds = {
  /** `redis://` or, for TLS, `rediss://`; may name a user, a password and a database. */
  readonly url: string;
  readonly clock: Clock;
  /** Told when Redis is lost and when it is found again, for the log. */
  readonly onStatus?: (status: RedisStatus) => void;
};

export type RedisStatus = {
  /** Absent while Redis does all that it is asked to. */
  readonly trouble?: RedisTrouble;
  /** Connections made since the start. More than two means that there were interruptions. */
  readonly connects: number;
  /** Commands since the start that were handed over in vain: refused, not answered in time, or not even sent. */
  readonly unanswered: number;
  /** Commands that wait for an answer now. */
  readonly waiting: number;
};

/** The connections of this process to one Redis, which is one machine or several behind one address. */
export interface RedisClient {
  readonly commands: RedisConnection;
  /**
   * A connection of its own, because Redis cuts a subscriber that reads slowly, and the cut must not cost any command.
   */
  readonly subscriptions: RedisConnection;
  status(this: void): RedisStatus;
  close(): Promise<void>;
}

/**
 * Resolves when connected, or after `silenceMillisMax` without: then it goes on trying by itself, as it does whenever
 * the connection is lost.
 */
export const openRedis = async (needs: RedisNeeds): Promise<RedisClient> => {
  let told = false;
  const tell = (): void => {
    const now = status();
    if (told === (now.trouble !== undefined)) return;
    told = !told;
    needs.onStatus?.(now);
  };
  const { url, clock } = needs;
  const commands = new IoredisConnection({ url, clock, tell });
  const subscriptions = new IoredisConnection({ url, clock, tell });
  const connections = [commands, subscriptions];
  const status = (): RedisStatus => {
    const trouble = commands.trouble ?? subscriptions.trouble;
    return {
      ...(trouble === undefined ? {} : { trouble }),
      connects: commands.connects + subscriptions.connects,
      unanswered: commands.unanswered + subscriptions.unanswered,
      waiting: commands.waiting + subscriptions.waiting,
    };
  };
  await Promise.all(connections.map((connection) => connection.opened()));
  return {
    commands,
    subscriptions,
    status,
    close: async () => {
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
};
