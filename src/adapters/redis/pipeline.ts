import type { Redis as Driver } from 'ioredis';
import { isUnknownScript } from './script.js';

export type CommandPart = string | number | Uint8Array;
export type RedisCommand = readonly [name: string, ...parts: CommandPart[]];

/** Redis cannot be reached, or does not answer, or has too much to do. */
export class RedisAway extends Error {
  constructor(reason: string) {
    super(`Redis is away: ${reason}`);
    this.name = 'RedisAway';
  }
}

/** Nothing waits longer for an answer. Redis itself needs less than a millisecond for most of what it is asked. */
export const answerMillisMax = 250;

/** Commands of one connection that may wait at the same time. */
export const commandsMax = 10_000;

export type PipelineNeeds = {
  readonly driver: Driver;
  /** Why nothing can be sent now; undefined while it can. */
  readonly away: () => string | undefined;
  /** Answers are late. */
  readonly onLate: (reason: string) => void;
  /** The last of the late answers has come. */
  readonly onCaughtUp: () => void;
  readonly onRefusal: (reason: string) => void;
};

type Waiting = {
  readonly command: RedisCommand;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
};

/** The commands of one connection: those of one turn of the event loop go out together, and none waits for long. */
export class Pipeline {
  readonly #needs: PipelineNeeds;
  #unsent: Waiting[] = [];
  /** Batches whose time is over, but whose answers may still come. */
  #late = 0;
  unanswered = 0;
  waiting = 0;

  constructor(needs: PipelineNeeds) {
    this.#needs = needs;
  }

  /** While it is, nothing may be sent. */
  get isLate(): boolean {
    return this.#late > 0;
  }

  send(command: RedisCommand): Promise<unknown> {
    const away = this.#needs.away();
    if (away !== undefined) return this.#refuse(away);
    if (this.waiting >= commandsMax) return this.#refuse('too many commands wait');
    this.waiting += 1;
    return new Promise((resolve, reject) => {
      // By the end of this turn everything is there that the same turn has read from the sockets of clients.
      if (this.#unsent.push({ command, resolve, reject }) === 1) setImmediate(() => this.#flush());
    });
  }

  #refuse(reason: string): Promise<never> {
    this.unanswered += 1;
    return Promise.reject(new RedisAway(reason));
  }

  #flush(): void {
    const batch = this.#unsent;
    this.#unsent = [];
    const away = this.#needs.away();
    if (away !== undefined) {
      this.#giveUp(batch, away);
      return;
    }
    const state = { answered: false, late: false };
    const expire = (): void => {
      if (state.answered) return;
      state.late = true;
      this.#late += 1;
      const reason = `no answer within ${answerMillisMax.toString()} ms`;
      this.#giveUp(batch, reason);
      this.#needs.onLate(reason);
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
      if (this.#late === 0) this.#needs.onCaughtUp();
    };
    const commands = batch.map(({ command }) => ['call', ...command.map(asDriverTakesIt)]);
    this.#needs.driver
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
        if (isRefusal(error)) this.#needs.onRefusal(error.message);
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

const asDriverTakesIt = (part: CommandPart): string | number | Buffer =>
  part instanceof Uint8Array ? Buffer.from(part.buffer, part.byteOffset, part.byteLength) : part;

const isRefusal = (error: Error): boolean => error.name === 'ReplyError';
