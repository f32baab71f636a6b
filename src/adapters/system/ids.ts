import { hash, randomUUID } from 'node:crypto';
import type { Ids } from '../../kernel/ports/system.js';
import { uuidOf } from '../../kernel/uuid.js';

/** `next` makes the snowflakes of this node. */
export const systemIds = (next: () => bigint): Ids => ({
  next,
  commandId: () => randomUUID(),
  eventId: (commandId, index) => nameUuid(`${commandId} ${index.toString()}`),
});

/** Ours, drawn at random once; event ids of all logs follow from it, so it is for ever. */
const namespace = Buffer.from('6f1f2c0e9a534f0bb3c7d4a1588e20b6', 'hex');
/** The namespace with the name behind it. A name of UTF-16 units has at most three times as many bytes. */
const named = Buffer.concat([namespace, Buffer.alloc(240)]);
const namedUnitsMax = (named.length - namespace.length) / 3;

/** UUIDv5 (RFC 9562, 5.5). */
const nameUuid = (name: string): string => {
  const hex = hash('sha1', inNamespace(name), 'hex');
  // The variant is the top two bits of the ninth byte: 10.
  const variant = variants.charAt(Number.parseInt(hex.charAt(16), 16) & 3);
  return uuidOf(`${hex.slice(0, 12)}5${hex.slice(13, 16)}${variant}${hex.slice(17, 32)}`);
};

/** To be used up before the next call, which may overwrite it. */
const inNamespace = (name: string): Buffer =>
  name.length > namedUnitsMax
    ? Buffer.concat([namespace, Buffer.from(name)])
    : named.subarray(0, namespace.length + named.write(name, namespace.length));

const variants = '89ab';
