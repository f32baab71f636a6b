import { isIP } from 'node:net';

/** The longest header that is taken, in bytes. One of the first version has at most 107; proxies add little to 52. */
export const proxyHeaderBytesMax = 4_096;

/**
 * The head of a connection, as far as it has come: more bytes are needed; or there is no header of the PROXY protocol;
 * or it is longer than `proxyHeaderBytesMax` or has no known form; or it has so many bytes and names the client, unless
 * it was the proxy itself that connected, or that does not know.
 */
export type ProxyHeader =
  | { readonly status: 'incomplete' }
  | { readonly status: 'none' }
  | { readonly status: 'malformed' }
  | { readonly status: 'found'; readonly bytes: number; readonly client: string | undefined };

/** Both versions of https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt. */
export const proxyHeaderIn = (head: Buffer): ProxyHeader => {
  if (begins(head, textSignature)) return head.length < textSignature.length ? incomplete : textHeaderIn(head);
  if (begins(head, binarySignature)) return head.length < binaryHeadBytes ? incomplete : binaryHeaderIn(head);
  return { status: 'none' };
};

const textSignature = Buffer.from('PROXY ');
const binarySignature = Buffer.from('\r\n\r\n\0\r\nQUIT\n');
/** The signature, version and command, family, and the length of the rest. */
const binaryHeadBytes = 16;
const textBytesMax = 107;
const incomplete = { status: 'incomplete' } as const;
const malformed = { status: 'malformed' } as const;

/** Whether one of the two is the beginning of the other. */
const begins = (head: Buffer, signature: Buffer): boolean => {
  const length = Math.min(head.length, signature.length);
  return head.subarray(0, length).equals(signature.subarray(0, length));
};

const textHeaderIn = (head: Buffer): ProxyHeader => {
  const end = head.subarray(0, textBytesMax).indexOf('\r\n');
  if (end < 0) return head.length < textBytesMax ? incomplete : malformed;
  const bytes = end + 2;
  const [, family, client = '', ...rest] = head.toString('latin1', 0, end).split(' ');
  if (family === 'UNKNOWN') return { status: 'found', bytes, client: undefined };
  const version = { TCP4: 4, TCP6: 6 }[family ?? ''];
  return version !== undefined && isIP(client) === version && rest.length === 3
    ? { status: 'found', bytes, client }
    : malformed;
};

/** By the byte for family and transport: where the client's address ends, and how it is written. */
const families: Readonly<Record<number, { readonly end: number; readonly text: (address: Buffer) => string }>> = {
  0x11: { end: 4, text: (address) => [...address].join('.') },
  0x21: {
    end: 16,
    text: (address) =>
      (address.toString('hex').match(/.{4}/g) ?? []).map((group) => parseInt(group, 16).toString(16)).join(':'),
  },
};
/** Addresses and ports of both ends. */
const addressBytes: Readonly<Record<number, number>> = { 0x11: 12, 0x21: 36 };

const binaryHeaderIn = (head: Buffer): ProxyHeader => {
  const [versionAndCommand, family] = [head.readUInt8(12), head.readUInt8(13)];
  const bytes = binaryHeadBytes + head.readUInt16BE(14);
  const isLocal = versionAndCommand === 0x20;
  if (bytes > proxyHeaderBytesMax || (!isLocal && versionAndCommand !== 0x21)) return malformed;
  if (head.length < bytes) return incomplete;
  const known = families[family];
  // The proxy asks for itself, or for a client over something else than TCP.
  if (isLocal || known === undefined) return { status: 'found', bytes, client: undefined };
  if (bytes < binaryHeadBytes + (addressBytes[family] ?? 0)) return malformed;
  const client = known.text(head.subarray(binaryHeadBytes, binaryHeadBytes + known.end));
  return { status: 'found', bytes, client };
};
