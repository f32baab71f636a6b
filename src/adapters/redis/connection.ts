import { createHash } from 'node:crypto';
import { Redis as Driver } from 'ioredis';
import type { Millis } from '../../kernel/ids.js';
import type { Clock } from '../../kernel/ports/system.js';

export type RedisNeeds = {
  /** `redis://` or, for TLS, `rediss://`; may name a user, a password and a database. */
  readonly url: string;
  /** PEM text of the authorities to trust, for `rediss://`. Default: those of Node. */
  readonly ca?: string;
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
export type RedisTrouble = { readonly since: Millis; readonly reason: string };

/** The connections of this process to one Redis, which is one machine or whatever stands behind one address. */
export interface RedisClient {
  readonly commands: RedisConnection;
  /** Its own connection: who subscribes and reads slowly is cut by Redis, and that must not cost any command. */
  readonly subscriptions: RedisConnection;
  status(this: void): RedisStatus;
  close(): Promise<void>;
}

export interface RedisConnection {
  /** Connected, and answering in time. */
  readonly isUsable: boolean;
  /** Connections made so far. What was written before the last one may be lost. */
  readonly connects: number;
  /** Redis 7 has channels that a cluster does not carry to all of its machines. */
  readonly hasShardedChannels: boolean;
  /**
   * Sends what is handed over in one turn of the event loop together, and in order. Rejects with what Redis refused, or
   * with `RedisAway`: at once while the connection is not usable, otherwise after `answerMillisMax` without an answer.
   * Then nobody knows whether it was done.
   */
  send(...command: Command): Promise<unknown>;
  /** Runs a script as one atomic command; loads it where Redis does not know it. Rejects as `send` does. */
  run(script: Script, keys: readonly string[], values: readonly CommandPart[]): Promise<unknown>;
  /** Calls the listener each time the connection becomes usable, until the answer is called. */
  onUsable(listener: () => void): () => void;
  /** The message is whole and has a life of its own. The listener must not throw. */
  onMessage(listener: (channel: string, message: Uint8Array) => void): void;
}

export type CommandPart = string | number | Uint8Array;
export type Command = readonly [name: string, ...parts: CommandPart[]];
export type Script = { readonly text: string; readonly sha: string };

/** Redis cannot be reached, or does not answer, or has too much to do. */
export class RedisAway extends Error {
  constructor(reason: string) {
    super(`Redis is away: ${reason}`);
    this.name = 'RedisAway';
  }
}

export const luaScript = (text: string): Script => ({ text, sha: createHash('sha1').update(text).digest('hex') });

/** Nothing waits longer for an answer. Redis itself needs less than a millisecond for most of what it is asked. */
export const answerMillisMax = 250;

/** A connection on which nothing comes for so long, although something should, is dropped. */
export const silenceMillisMax = 2_000;

/** Commands of one connection that may wait at the same time. */
export const commandsMax = 10_000;

/** After a refusal, such as for want of memory, all is well again when so much time has passed without another. */
export const refusalMillis = 15_000;

/** How often a connection is asked whether it still works. */
const pingMillis = 1_000;

const retryMillisMin = 50;
const retryMillisMax = 1_000;

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
  const commands = new Connection(needs, tell);
  const subscriptions = new Connection(needs, tell);
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

type Waiting = {
  readonly command: Command;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
};

class Connection implements RedisConnection {
  readonly #driver: Driver;
  readonly #clock: Clock;
  readonly #tell: () => void;
  readonly #pinging: NodeJS.Timeout;
  readonly #usable = new Set<() => void>();
  #unsent: Waiting[] = [];
  /** Batches whose time is over, but whose answers may still come. While there are any, nothing is sent. */
  #late = 0;
  #greeted = false;
  #refusedAt: number | undefined;
  #lastError = 'not connected yet';
  #closed = false;
  trouble: RedisTrouble | undefined;
  connects = 0;
  unanswered = 0;
  waiting = 0;
  hasShardedChannels = false;

  constructor({ url, ca, clock }: RedisNeeds, tell: () => void) {
    this.#clock = clock;
    this.#tell = tell;
    this.#driver = new Driver(url, { ...driverOptions, ...(ca === undefined ? {} : { tls: { ca } }) });
    this.#driver.on('error', ({ message }: Error) => {
      this.#lastError = message;
    });
    this.#driver.on('ready', () => void this.#greet());
    this.#driver.on('close', () => {
      this.#greeted = false;
      this.#inTrouble(this.#lastError);
    });
    this.#pinging = setInterval(() => this.#ping(), pingMillis).unref();
  }

  get isUsable(): boolean {
    return this.#greeted && this.#late === 0 && this.#driver.status === 'ready' && !this.#closed;
  }

  /** Resolves when usable, or after `silenceMillisMax`. */
  async opened(): Promise<void> {
    if (this.isUsable) return;
    await new Promise<void>((resolve) => {
      const stop = this.onUsable(() => {
        clearTimeout(timer);
        stop();
        resolve();
      });
      const timer = setTimeout(() => {
        stop();
        this.#inTrouble(this.#lastError);
        resolve();
      }, silenceMillisMax);
    });
  }

  send(...command: Command): Promise<unknown> {
    if (!this.isUsable) return this.#refuse(this.#lastError);
    if (this.waiting >= commandsMax) return this.#refuse('too many commands wait');
    this.waiting += 1;
    return new Promise((resolve, reject) => {
      // By the end of this turn everything is there that the same turn has read from the sockets of clients.
      if (this.#unsent.push({ command, resolve, reject }) === 1) setImmediate(() => this.#flush());
    });
  }

  async run(script: Script, keys: readonly string[], values: readonly CommandPart[]): Promise<unknown> {
    try {
      return await this.send('EVALSHA', script.sha, keys.length, ...keys, ...values);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return await this.send('EVAL', script.text, keys.length, ...keys, ...values);
    }
  }

  onUsable(listener: () => void): () => void {
    this.#usable.add(listener);
    return () => this.#usable.delete(listener);
  }

  onMessage(listener: (channel: string, message: Uint8Array) => void): void {
    const hear = (channel: Buffer, message: Buffer): void => listener(channel.toString(), message);
    this.#driver.on('messageBuffer', hear);
    this.#driver.on('smessageBuffer', hear);
  }

  /** What waits is rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#pinging);
    const { status } = this.#driver;
    const ended = new Promise((resolve) => this.#driver.once('end', resolve));
    this.#driver.disconnect();
    // Only a connection that is there ends.
    if (status === 'ready' || status === 'connect' || status === 'connecting') await ended;
  }

  async #greet(): Promise<void> {
    try {
      const [known] = (await this.#driver.call('COMMAND', 'INFO', 'SPUBLISH')) as unknown[]; // a list, one entry each
      this.hasShardedChannels = known !== null && known !== undefined;
    } catch {
      // Not every user may ask.
      this.hasShardedChannels = false;
    }
    if (this.#driver.status !== 'ready') return;
    this.#greeted = true;
    this.#lastError = 'the connection was closed';
    this.connects += 1;
    this.#becomeUsable();
  }

  #becomeUsable(): void {
    if (!this.isUsable) return;
    this.#recover();
    for (const listener of [...this.#usable]) listener();
  }

  #ping(): void {
    this.#recover();
    if (this.isUsable) this.send('PING').catch(() => undefined);
  }

  #recover(): void {
    if (!this.isUsable || this.trouble === undefined) return;
    if (this.#refusedAt !== undefined && performance.now() - this.#refusedAt < refusalMillis) return;
    this.trouble = undefined;
    this.#tell();
  }

  #inTrouble(reason: string): void {
    if (this.#closed) return;
    this.trouble = { since: this.trouble?.since ?? this.#clock.now(), reason };
    this.#tell();
  }

  #refuse(reason: string): Promise<never> {
    this.unanswered += 1;
    return Promise.reject(new RedisAway(reason));
  }

  #flush(): void {
    const batch = this.#unsent;
    this.#unsent = [];
    if (!this.isUsable) {
      this.#giveUp(batch, this.#lastError);
      return;
    }
    const state = { answered: false, late: false };
    const expire = (): void => {
      if (state.answered) return;
      state.late = true;
      this.#late += 1;
      this.#lastError = `no answer within ${answerMillisMax.toString()} ms`;
      this.#giveUp(batch, this.#lastError);
      this.#inTrouble(this.#lastError);
    };
    // When this process itself has stood still, the answer may be there, but not read yet.
    const timer = setTimeout(() => setImmediate(expire), answerMillisMax);
    const finish = (settle: () => void): void => {
      state.answered = true;
      clearTimeout(timer);
      if (!state.late) {
        settle();
        return;
      }
      this.#late -= 1;
      this.#becomeUsable();
    };
    const commands = batch.map(({ command }) => ['call', ...command.map(asDriverTakesIt)]);
    this.#driver
      .pipeline(commands)
      .exec()
      .then(
        (replies) => finish(() => this.#settle(batch, replies ?? [])),
        (error: unknown) => finish(() => this.#giveUp(batch, String(error))),
      );
  }

  #settle(batch: readonly Waiting[], replies: readonly (readonly [Error | null, unknown])[]): void {
    this.waiting -= batch.length;
    for (const [index, { resolve, reject }] of batch.entries()) {
      const [error, reply] = replies[index] ?? [new RedisAway('the connection was lost'), undefined];
      if (error === null) {
        resolve(reply);
        continue;
      }
      if (!isUnknownScript(error)) {
        this.unanswered += 1;
        if (isRefusal(error)) {
          this.#refusedAt = performance.now();
          this.#inTrouble(error.message);
        }
      }
      reject(error);
    }
  }

  #giveUp(batch: readonly Waiting[], reason: string): void {
    this.waiting -= batch.length;
    this.unanswered += batch.length;
    const error = new RedisAway(reason);
    for (const { reject } of batch) reject(error);
  }
}

/** Whatever waits, queues or resends by itself is off: callers go on without Redis and try again when it is back. */
const driverOptions = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  // It would leave a rejection unhandled when the connection is lost once more. Subscribers see to it themselves.
  autoResubscribe: false,
  connectTimeout: silenceMillisMax,
  // Also ends connections that are accepted and then left without any answer, as a stopped process does.
  socketTimeout: silenceMillisMax,
  disconnectTimeout: answerMillisMax,
  maxLoadingRetryTime: retryMillisMax,
  retryStrategy: (times: number): number => {
    const millis = Math.min(retryMillisMin * 2 ** (times - 1), retryMillisMax);
    // Nodes that lost it at the same time do not come back at the same time.
    return millis * (0.5 + Math.random() / 2);
  },
  // The address leads to what is a replica by now: look where it leads next.
  reconnectOnError: ({ message }: Error): boolean => message.startsWith('READONLY'),
};

const asDriverTakesIt = (part: CommandPart): string | number | Buffer =>
  part instanceof Uint8Array ? Buffer.from(part.buffer, part.byteOffset, part.byteLength) : part;

const isRefusal = (error: Error): boolean => error.name === 'ReplyError';

const isUnknownScript = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOSCRIPT');
