import { createCipheriv, createDecipheriv, createHmac, createSecretKey, randomBytes } from 'node:crypto';

/** The vault was made under another master key. */
export class WrongMasterKey extends Error {
  constructor() {
    super('the vault was made under another master key: restore the key file that belongs to it');
    this.name = 'WrongMasterKey';
  }
}

/** A secret does not unwrap although the master key is the right one. */
export class DamagedSecret extends Error {
  constructor(name: string) {
    super(`the secret ${name} is damaged`);
    this.name = 'DamagedSecret';
  }
}

/** Opens what the vault keeps to tell its master key by. Throws `WrongMasterKey`. */
export const checkedKey = (open: () => unknown): void => {
  try {
    open();
  } catch (error) {
    throw error instanceof DamagedSecret ? new WrongMasterKey() : error;
  }
};

export const masterKeyBytes = 32;
export const saltBytes = 32;

export type Wrapping = {
  /** Nonce, ciphertext and tag. Bound to the name: it does not unwrap under another. */
  readonly wrap: (name: string, salt: Uint8Array, secret: Uint8Array) => Buffer;
  /** Throws `DamagedSecret`. */
  readonly unwrap: (name: string, salt: Uint8Array, wrapped: Uint8Array) => Uint8Array;
};

/**
 * AES-256-GCM under a key of the secret's own, made of the master key and the secret's salt. Keeps a copy of the master key
 * outside of the heap, so that the caller can overwrite the bytes.
 */
export const wrapping = (masterKey: Uint8Array): Wrapping => {
  if (masterKey.length !== masterKeyBytes) throw new Error(`a master key has ${masterKeyBytes.toString()} bytes`);
  const master = createSecretKey(masterKey);
  // Overwritten in the same tick, because memory that was let go of keeps its bytes until something else is written there.
  const withKeyOf = <T>(salt: Uint8Array, work: (key: Buffer) => T): T => {
    const key = createHmac('sha256', master).update('osmium vault 1').update(salt).digest();
    try {
      return work(key);
    } finally {
      key.fill(0);
    }
  };
  return {
    wrap: (name, salt, secret) =>
      withKeyOf(salt, (key) => {
        const nonce = randomBytes(nonceBytes);
        const cipher = createCipheriv('aes-256-gcm', key, nonce);
        cipher.setAAD(Buffer.from(name));
        return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
      }),
    unwrap: (name, salt, wrapped) =>
      withKeyOf(salt, (key) => {
        const end = wrapped.length - tagBytes;
        const nonce = wrapped.subarray(0, nonceBytes);
        const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
        decipher.setAAD(Buffer.from(name));
        let opened: Buffer | undefined;
        try {
          decipher.setAuthTag(wrapped.subarray(end));
          // The mode gives all bytes at once, and none in the end.
          opened = decipher.update(wrapped.subarray(nonceBytes, end));
          decipher.final();
          return Uint8Array.from(opened);
        } catch {
          throw new DamagedSecret(name);
        } finally {
          opened?.fill(0);
        }
      }),
  };
};

const nonceBytes = 12;
const tagBytes = 16;
/** A wrapped secret has at least so many. */
export const wrappedBytesMin = nonceBytes + tagBytes;
