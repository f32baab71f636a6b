import { createHash } from 'node:crypto';
import type { SessionId, UserId } from '../../../kernel/ids.js';
import type { Random } from '../../../kernel/ports/system.js';

/** 256 bits that nobody can guess. */
const secretBytes = 32;
const idBytes = 8;
const tokenBytes = 2 * idBytes + secretBytes;

export type Token = { readonly user: UserId; readonly session: SessionId; readonly hash: string };

/**
 * A token names its user and session before the secret, so that the one stream which can confirm it is found without
 * a search. Only the hash of the whole is ever stored.
 */
export const newToken = (user: UserId, session: SessionId, random: Random): Token & { readonly text: string } => {
  const bytes = Buffer.alloc(tokenBytes);
  bytes.writeBigUInt64BE(user, 0);
  bytes.writeBigUInt64BE(session, idBytes);
  bytes.set(random.bytes(secretBytes), 2 * idBytes);
  const text = bytes.toString('base64url');
  return { user, session, text, hash: hashOf(text) };
};

/** Undefined for a text that cannot be one of our tokens. */
export const tokenOf = (text: string): Token | undefined => {
  const bytes = Buffer.from(text, 'base64url');
  // Decoding is lenient; only the one spelling that we gave out counts.
  if (bytes.length !== tokenBytes || bytes.toString('base64url') !== text) return undefined;
  return {
    user: bytes.readBigUInt64BE(0) as UserId,
    session: bytes.readBigUInt64BE(idBytes) as SessionId,
    hash: hashOf(text),
  };
};

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
