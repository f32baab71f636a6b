import type { Redis as Driver } from 'ioredis';
import type { Millis } from '../../kernel/ids.js';
import type { Clock } from '../../kernel/ports/system.js';
import { driverFor, silenceMillisMax } from './driver.js';
import { Pipeline, type RedisCommand, type CommandPart } from './pipeline.js';
import { isUnknownScript, type Script } from './script.js';

export type RedisTrouble = { readonly since: Millis; readonly reason: string };

export interface RedisConnection {
  /** Connected, and answering in time. */
  readonly isUsable: boolean;
  /** Connections made so far. Data written before the last one may be lost. */
  readonly connects: number;
  /** Redis 7 has channels that a cluster does not carry to all of its machines. */
  readonly hasShardedChannels: boolean;
  /**
   * Sends what is handed over in one turn of the event loop together, and in order. Rejects with what Redis refused, or
   * with `RedisAway`: at once while the connection is not usable, otherwise after `answerMillisMax` without an answer.
   * Then nobody knows whether it was done.
   */
  send(...command: RedisCommand): Promise<unknown>;
  /** Runs a script as one atomic command; loads it where Redis does not know it. Rejects as `send` does. */
  run(script: Script, keys: readonly string[], values: readonly CommandPart[]): Promise<unknown>;
  /** Calls the listener each time the connection becomes usable, until the answer is called. */
  onUsable(listener: () => void): () => void;
  /** The message is whole and has a life of its own. The listener must not throw. */
  onMessage(listener: (channel: string, message: Uint8Array) => void): void;
}

/** After a refusal, such as for want of memory, all is well again when so much time has passed without another. */
export const refusalMillis = 15_000;

/** How often a connection is asked whether it still works. */
const pingMillis = 1_000;

export type RedisConnectionNeeds = {
  readonly url: string;
  readonly clock: Clock;
  /** Something about `trouble` may have changed. */
  readonly tell: () => void;
};

export class IoredisConnection implements RedisConnection {
  readonly #driver: Driver;
  readonly #pipeline: Pipeline;
  readonly #clock: Clock;
  readonly #tell: () => void;
  readonly #pinging: NodeJS.Timeout;
  readonly #usable = new Set<() => void>();
  #greeted = false;
  #refusedAt: number | undefined;
  #lastError = 'not connected yet';
  #closed = false;
  trouble: RedisTrouble | undefined;
  connects = 0;
  hasShardedChannels = false;

  constructor({ url, clock, tell }: RedisConnectionNeeds) {
    this.#clock = clock;
    this.#tell = tell;
    this.#driver = driverFor(url);
    this.#pipeline = new Pipeline({
      driver: this.#driver,
      away: () => (this.isUsable ? undefined : this.#lastError),
      onLate: (reason) => {
        this.#lastError = reason;
        this.#inTrouble(reason);
      },
      onCaughtUp: () => this.#becomeUsable(),
      onRefusal: (reason) => {
        this.#refusedAt = performance.now();
        this.#inTrouble(reason);
      },
    });
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
    return this.#greeted && !this.#pipeline.isLate && this.#driver.status === 'ready' && !this.#closed;
  }

  get unanswered(): number {
    return this.#pipeline.unanswered;
  }
  get waiting(): number {
    return this.#pipeline.waiting;
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

  send(...command: RedisCommand): Promise<unknown> {
    return this.#pipeline.send(command);
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

  /** Rejects the commands that wait. */
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
}
