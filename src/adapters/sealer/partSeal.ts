import { createCipheriv, createDecipheriv } from 'node:crypto';
import { partSealBytes, type PartSeal } from '../../kernel/ports/partSeal.js';
import type { Random } from '../../kernel/ports/system.js';
import { keyBytes, nonceBytes } from './sealedText.js';

/**
 * The form of a sealed part: 1, the nonce, the ciphertext and the tag of AES-256-GCM. Files are kept as long as what uses them, so a
 * change of anything here is a new form beside this one.
 */
const form = 1;
const tagBytes = 16;
const headBytes = 1 + nonceBytes;

export const partSeal = (random: Random): PartSeal => ({
  newKey: () => random.bytes(keyBytes),
  seal: (key, place, plain) => {
    const nonce = random.bytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
    cipher.setAAD(associated(place));
    const sealed = new Uint8Array(plain.length + partSealBytes);
    sealed[0] = form;
    sealed.set(nonce, 1);
    sealed.set(cipher.update(plain), headBytes);
    cipher.final();
    sealed.set(cipher.getAuthTag(), headBytes + plain.length);
    return sealed;
  },
  open: (key, place, sealed) => {
    const end = sealed.length - tagBytes;
    if (sealed[0] !== form || end < headBytes) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, headBytes), { authTagLength: tagBytes });
    decipher.setAAD(associated(place));
    decipher.setAuthTag(sealed.subarray(end));
    const plain = decipher.update(sealed.subarray(headBytes, end));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return plain;
  },
});

const associated = (place: string): Buffer => Buffer.from(`osmium part 1\n${place}`);
