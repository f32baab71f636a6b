import type { Millis } from '../ids.js';

export interface Clock {
  /** Wall-clock time; may step back. */
  now(): Millis;
}

export interface Ids {
  /** The next snowflake of this node: larger than every one before it. */
  next(): bigint;
  /** A random UUID for a command that has no natural name. */
  commandId(): string;
  /** The id of the `index`-th event of a command: a UUIDv5, always the same for the same command. */
  eventId(commandId: string, index: number): string;
}

export interface Random {
  /** Unpredictable bytes. */
  bytes(length: number): Uint8Array;
}

/** So many passwords are being checked that one more would wait too long. Nothing was computed; try again later. */
export class HasherBusy extends Error {
  constructor() {
    super('too many passwords are being checked');
    this.name = 'HasherBusy';
  }
}

/** Slow on purpose: argon2id. Both throw `HasherBusy` when too many are waiting. */
export interface PasswordHasher {
  hash(password: string): Promise<Uint8Array>;
  verify(password: string, hash: Uint8Array): Promise<boolean>;
}
