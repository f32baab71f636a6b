import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FileId, Millis, SessionId, UserId } from '../../kernel/ids.js';
import type { Sealer } from '../../kernel/ports/sealer.js';
import type { FileKind } from '../files/streaming.js';

/** How long a link is good for. */
export const linkLifeMillis = 300_000;

/** All that a link stands for: the session that asked for it, which may have gone, and one file. */
export type FileLink = {
  readonly file: FileId;
  readonly kind: FileKind;
  readonly user: UserId;
  readonly session: SessionId;
  readonly expiresAt: Millis;
};

/** Links to files, which any node of the deployment tells from those that it did not make. */
export interface FileLinks {
  /** For a URL. */
  signed(this: void, link: FileLink): string;
  /** Undefined for a text that is no link to this file. Whether it is still good is not looked at. */
  opened(this: void, text: string, file: FileId): FileLink | undefined;
}

const form = 1;
const kinds = ['media', 'photo'] as const satisfies readonly FileKind[];
const userAt = 2;
const sessionAt = userAt + 8;
const expiryAt = sessionAt + 8;
const expiryBytes = 6;
const headBytes = expiryAt + expiryBytes;
const signatureBytes = 32;

/** The key is made of that of the deployment for this use alone, so no other keyed hash is ever a signature. */
export const fileLinks = ({ lookupHash }: Pick<Sealer, 'lookupHash'>): FileLinks => {
  const key = lookupHash('osmium links to files 1');
  const signature = (file: FileId, head: Uint8Array): Buffer =>
    createHmac('sha256', key).update(`${file.toString()}\n`).update(head).digest();
  return {
    signed: ({ file, kind, user, session, expiresAt }) => {
      const head = Buffer.alloc(headBytes);
      head.writeUInt8(form, 0);
      head.writeUInt8(kinds.indexOf(kind), 1);
      head.writeBigUInt64BE(user, userAt);
      head.writeBigUInt64BE(session, sessionAt);
      head.writeUIntBE(expiresAt, expiryAt, expiryBytes);
      return Buffer.concat([head, signature(file, head)]).toString('base64url');
    },
    opened: (text, file) => {
      const bytes = Buffer.from(text, 'base64url');
      // Decoding is lenient; only the one spelling that was given out counts.
      if (bytes.length !== headBytes + signatureBytes || bytes.toString('base64url') !== text) return undefined;
      const head = bytes.subarray(0, headBytes);
      const kind = kinds[head.readUInt8(1)];
      if (head[0] !== form || kind === undefined) return undefined;
      if (!timingSafeEqual(bytes.subarray(headBytes), signature(file, head))) return undefined;
      return {
        ...{ file, kind },
        user: head.readBigUInt64BE(userAt) as UserId,
        session: head.readBigUInt64BE(sessionAt) as SessionId,
        expiresAt: head.readUIntBE(expiryAt, expiryBytes) as Millis,
      };
    },
  };
};
