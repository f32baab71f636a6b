import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { SealBinding } from '../../kernel/ports/sealer.js';

/**
 * The form of sealed content, which is for ever, since events are: `1.<period>.<payload>`. The period is `yyyymm`, or
 * `-` for content that is nobody's; the payload is base64url of nonce (12 bytes), ciphertext and tag (16 bytes) of
 * AES-256-GCM. A change of anything here is a new version beside this one.
 */
export type SealedParts = { readonly period: string; readonly payload: Buffer };

export const nonceBytes = 12;
export const keyBytes = 32;
export const nobodysPeriod = '-';
const tagBytes = 16;
const head = '1.';

const periodPattern = /^(?:-|\d{6})$/;

/** `undefined` when the text is not of this form, to the letter. */
export const partsOf = (sealed: string): SealedParts | undefined => {
  const dot = sealed.indexOf('.', head.length);
  if (!sealed.startsWith(head) || dot === -1) return undefined;
  const period = sealed.slice(head.length, dot);
  const text = sealed.slice(dot + 1);
  const payload = Buffer.from(text, 'base64url');
  if (payload.length < nonceBytes + tagBytes || !periodPattern.test(period)) return undefined;
  // Node decodes leniently; a text that can be altered without changing what it says would not be sealed.
  return payload.toString('base64url') === text ? { period, payload } : undefined;
};

/**
 * The same in bytes: 1, the period as a number of three bytes, 0 for `-`, and the payload. Read models are full of
 * these, and are made anew when the form changes.
 */
export const packed = (sealed: string): Uint8Array => {
  const parts = partsOf(sealed);
  if (parts === undefined) return Buffer.concat([Buffer.of(foreignForm), Buffer.from(sealed)]);
  const { period, payload } = parts;
  const bytes = Buffer.allocUnsafeSlow(packedHeadBytes + payload.length);
  bytes[0] = packedForm;
  bytes.writeUIntBE(period === nobodysPeriod ? 0 : Number(period), 1, packedHeadBytes - 1);
  bytes.set(payload, packedHeadBytes);
  return bytes;
};

/** `undefined` for what was packed of anything else than a sealed text. */
export const unpacked = (bytes: Uint8Array): SealedParts | undefined => {
  if (bytes[0] !== packedForm || bytes.length < packedHeadBytes + nonceBytes + tagBytes) return undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const period = buffer.readUIntBE(1, packedHeadBytes - 1);
  const payload = buffer.subarray(packedHeadBytes);
  return { period: period === 0 ? nobodysPeriod : period.toString().padStart(periodDigits, '0'), payload };
};

const packedForm = 1;
const foreignForm = 0;
const packedHeadBytes = 4;
const periodDigits = 6;

/** Whose content it is, as far as the key tells. */
export type KeyBinding = { readonly subject?: string; readonly period: string; readonly scope: string };

const lineless = /^[\x21-\x7e]+$/;

/** The key that seals, of both keys: without either of them nobody makes it again. `author` is absent for content that is nobody's. */
export const sealingKey = (author: Uint8Array | undefined, scope: Uint8Array, binding: KeyBinding): KeyObject => {
  const { subject = '-', period } = binding;
  for (const part of [subject, period, binding.scope]) {
    if (!lineless.test(part)) throw new Error(`${JSON.stringify(part)} cannot name a key`);
  }
  // Of a fixed length each, so that no two pairs of keys run together to the same bytes.
  const material = Buffer.concat(author === undefined ? [scope] : [author, scope]);
  if (material.length !== (author === undefined ? keyBytes : 2 * keyBytes)) throw new Error('a data key has 32 bytes');
  const derived = new Uint8Array(hkdfSync('sha256', material, '', infoOf(author, binding), keyBytes));
  const key = createSecretKey(derived);
  // The key has a copy of its own, outside of the heap, which OpenSSL overwrites in the end.
  for (const bytes of [material, derived]) bytes.fill(0);
  return key;
};

const infoOf = (author: Uint8Array | undefined, { subject = '-', period, scope }: KeyBinding): string => {
  const kind = author === undefined ? 'scope' : 'author and scope';
  return `osmium seal 1\n${kind}\n${subject}\n${period}\n${scope}`;
};

const associatedOf = (period: string, { subject = '-', scope, associated }: SealBinding): Buffer =>
  Buffer.from(`osmium seal 1\n${period}\n${subject}\n${scope}\n${associated}`);

export type Sealing = {
  readonly key: KeyObject;
  readonly period: string;
  readonly binding: SealBinding;
};

/** `nonce` must never have been used with this key. */
export const sealText = ({ key, period, binding }: Sealing, plain: Uint8Array, nonce: Uint8Array): string => {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(associatedOf(period, binding));
  const payload = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return `${head}${period}.${payload.toString('base64url')}`;
};

/** `undefined` when it does not open. */
export const openPayload = ({ key, period, binding }: Sealing, payload: Buffer): Uint8Array | undefined => {
  const end = payload.length - tagBytes;
  const decipher = createDecipheriv('aes-256-gcm', key, payload.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(associatedOf(period, binding));
  decipher.setAuthTag(payload.subarray(end));
  const plain = decipher.update(payload.subarray(nonceBytes, end));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return plain;
};
