import type { Position } from '../event.js';
import type { Shredded } from '../opened.js';

/** The context to which a sealed value is bound. Opening the value under any other context fails. */
export type SealBinding = {
  /** The author whose key of that period seals it, in decimal; absent for content that is nobody's. */
  readonly subject?: string;
  /** The chat, community or account whose key seals it too. */
  readonly scope: string;
  /** Stream, event id and type. */
  readonly associated: string;
};

/** The keys are not in memory. Load them, then ask again. */
export class KeysMissing {
  readonly names: readonly string[];

  constructor(names: readonly string[]) {
    this.names = names;
  }
}

/** A key has been destroyed: nothing new is written for what was erased. */
export class KeyDestroyed extends Error {
  constructor(name: string) {
    super(`the key ${name} has been destroyed`);
    this.name = 'KeyDestroyed';
  }
}

/** The value was sealed under another binding, or is damaged. */
export class SealBroken extends Error {
  constructor(associated: string) {
    super(`the sealed content of ${associated} does not open: damaged, or moved from its place`);
    this.name = 'SealBroken';
  }
}

/**
 * Seals personal content before it reaches the log. Sealing and opening are synchronous, so that an id can be minted,
 * its event sealed and the append handed in within one tick; keys are fetched before.
 */
export interface Sealer {
  /** `period` is `yyyymm`. Throws `KeyDestroyed` when a key of the binding has been destroyed. */
  seal(plain: Uint8Array, binding: SealBinding, period: string): string | KeysMissing;

  /** The same value in fewer bytes, which is how read models keep it. Text that is no sealed value makes bytes that do not open. */
  packed(sealed: string): Uint8Array;

  /**
   * Opens a packed value. `at` is the place in the log, which is no part of what the value is bound to, since a copied log has other places.
   * Throws `SealBroken`, except where the keys of that part of the log were given up: there it is `Shredded`.
   */
  open(packed: Uint8Array, binding: SealBinding, at?: Position): Uint8Array | Shredded | KeysMissing;

  /**
   * Until when the keys that open a packed value are held, in milliseconds of the monotonic clock: until then what it said
   * may be told from memory, unless keys are forgotten before.
   */
  heldUntil(packed: Uint8Array, binding: SealBinding): number | Shredded | KeysMissing;

  /** The listener is called whenever keys are dropped from memory because they were destroyed. */
  onForgotten(listener: () => void): void;

  /** Fetches keys that are to open something; those that never existed or were destroyed count as destroyed. */
  loadKeys(names: readonly string[]): Promise<void>;

  /** Fetches keys that are to seal something, and makes those that do not exist. Throws `KeyDestroyed`. */
  makeKeys(names: readonly string[]): Promise<void>;

  /** A keyed hash for looking things up without storing them: e-mail addresses, usernames. 32 bytes as lower-case hex. */
  lookupHash(value: string): string;

  /** The period of the author's key under which a packed value is sealed; undefined for one that is nobody's, or damaged. */
  periodOf(packed: Uint8Array): string | undefined;

  /**
   * Keyed hashes for a search in one scope: no two scopes have any in common, and they go with the key of the scope.
   * 9 bytes in base64url, which is 12 letters. To be asked for anew after every wait.
   */
  hasherOf(scope: string): ScopeHasher | Shredded | KeysMissing;
}

export type ScopeHasher = (value: string) => string;

/** A key that was destroyed for ever: of what an author wrote in a month, or of a chat, community or account. */
export type DestroyedKey =
  | { readonly kind: 'author'; readonly subject: string; readonly period: string }
  | { readonly kind: 'scope'; readonly scope: string };
