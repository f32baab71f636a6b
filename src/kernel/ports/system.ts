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

/** In UTF-16 code units. The upper bound keeps a password from being a way to make the server hash megabytes. */
export const passwordUnitsMin = 8;
export const passwordUnitsMax = 1024;

/** So many passwords are being checked that one more would wait too long. Nothing was computed; try again later. */
export class HasherBusy extends Error {
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super('too many passwords are being checked');
    this.name = 'HasherBusy';
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** `known`: of accounts in networks where they signed in before. These go first, and the others have a share. */
export type HashingQueue = 'known' | 'others';

/**
 * Slow on purpose: argon2id. Nothing longer than `passwordUnitsMax` is hashed: `hash` throws a RangeError, `verify` is
 * false. Both throw `HasherBusy` when too many are waiting: those first for whose network, `of`, most are. Default: the
 * queue of the others.
 */
export interface PasswordHasher {
  hash(password: string, queue?: HashingQueue, of?: string): Promise<Uint8Array>;
  verify(password: string, hash: Uint8Array, queue?: HashingQueue, of?: string): Promise<boolean>;
}

/** The passwords that are tried first by those who guess. */
export interface CommonPasswords {
  /** Compares without regard to the case of letters. */
  has(password: string): Promise<boolean>;
}

export type DiskRoom = { readonly freeBytes: number; readonly totalBytes: number };

/** The disk of a folder. */
export interface Disk {
  /** The bytes that this process may still write. Rejects with the system's error. */
  room(): Promise<DiskRoom>;
}
