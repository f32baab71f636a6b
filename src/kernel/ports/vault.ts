/**
 * Secrets that must be erasable, so they are never in the log: data keys, password hashes, TOTP secrets.
 * Each is wrapped by the master key. A name is never reused after `destroy`. Bytes that are given, and bytes that come
 * back, are the caller's own, who may overwrite them once a call is settled.
 */
export interface Vault {
  /** `undefined`: never made. `'destroyed'`: gone for ever. */
  get(name: string): Promise<Uint8Array | 'destroyed' | undefined>;

  /** Stores the secret unless the name has one; resolves with the one that holds, once it is durable. */
  create(name: string, secret: Uint8Array): Promise<Uint8Array | 'destroyed'>;

  /** Stores the secret in place of any former one; durable when resolved. Resolves `'destroyed'` and stores nothing if the name was destroyed. */
  put(name: string, secret: Uint8Array): Promise<'stored' | 'destroyed'>;

  /**
   * The same, but only as long as the name has the former secret: `'changed'` and nothing is stored when it has another one or
   * none. Of several who replace the same secret at once, one succeeds.
   */
  replace(name: string, former: Uint8Array, secret: Uint8Array): Promise<Replaced>;

  /** Overwrites and removes the secret and enters the name in the register of destroyed names; durable when resolved. */
  destroy(name: string): Promise<void>;

  /** The register, for a restore to be checked against. Names in order, after `after`. */
  destroyed(after: string | undefined, limit: number): Promise<readonly string[]>;

  /**
   * How many names the vault has ever held or destroyed. Never falls in one and the same vault, and grows by 1 with each
   * new name, so a vault with fewer than it had is an older copy. A shared vault may read all of its names for that.
   */
  names(): Promise<number>;

  close(): Promise<void>;
}

export type Replaced = 'stored' | 'changed' | 'destroyed';
