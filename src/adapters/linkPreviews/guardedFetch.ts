import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline, type Readable } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Outside } from './outside.js';
import { amongThese, isPublicAddress } from './publicAddress.js';
import { webAddress, type WebAddress } from './webAddress.js';

/** Bounds of one fetch as a whole, redirects and the look-up of names included. */
export const fetchMillisMax = 5_000;
/** Of the page, unpacked. The rest of a longer page is not read. */
export const pageBytesMax = 524_288;
/** Of the picture that a page has for itself, unpacked. A larger one is none. */
export const pagePictureBytesMax = 2_097_152;
export const redirectsMax = 3;
/** Of one name. All are looked at in one tick, and no page that is meant to be reached has so many. */
export const addressesMax = 32;

/** A kind of thing that is asked for. `cut`: of a longer one the beginning is enough; otherwise it is nothing. */
export type Wanted = {
  readonly accept: string;
  readonly types: RegExp;
  readonly bytesMax: number;
  readonly longer: 'cut' | 'nothing';
};

/** Pages describe themselves at the top. */
export const wantedPage: Wanted = {
  accept: 'text/html,application/xhtml+xml',
  types: /^\s*(?:text\/html|application\/xhtml\+xml)\s*(?:;|$)/i,
  bytesMax: pageBytesMax,
  longer: 'cut',
};

export const wantedPicture: Wanted = {
  accept: 'image/webp,image/avif,image/jpeg,image/png,image/gif',
  types: /^\s*image\/(?:webp|avif|jpe?g|png|gif)\s*(?:;|$)/i,
  bytesMax: pagePictureBytesMax,
  longer: 'nothing',
};

export type FetchedPage = {
  /** Where it was found in the end. */
  readonly address: WebAddress;
  /** The header, as it came. */
  readonly contentType: string;
  readonly bytes: Uint8Array;
};

/**
 * A page of the outside, or undefined when it cannot be had or must not be asked for. Every address that a connection is
 * about to be opened to has been looked at, on each hop anew, also one that stands in the link itself. One address that
 * is not public refuses a name, because a connection goes on to the next address when one does not answer. Neither
 * cookies nor credentials are sent, and proxies of the environment are not used.
 */
export const guardedFetch =
  (outside: Outside, wanted: Wanted = wantedPage) =>
  async (link: string, closing: AbortSignal): Promise<FetchedPage | undefined> => {
    const ending = new AbortController();
    const end = (): void => {
      ending.abort();
    };
    // One timer for all: a limit on pauses would begin anew with each byte.
    const cancel = outside.timers.later(fetchMillisMax, end);
    closing.addEventListener('abort', end, { once: true });
    if (closing.aborted) end();
    try {
      return await unlessEnded(followed({ ...outside, wanted }, link, ending.signal), ending.signal);
    } catch {
      // The reason is between the server and a stranger: to the user the link has no preview.
      return undefined;
    } finally {
      cancel();
      closing.removeEventListener('abort', end);
      end();
    }
  };

/** Work that does not heed the signal must not keep the fetch from its end either. */
const unlessEnded = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  let stop = (): void => undefined;
  const ended = new Promise<never>((_, fail) => {
    stop = (): void => {
      fail(new Error('the time is over'));
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([work, ended]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
};

type Wishing = Outside & { readonly wanted: Wanted };

const followed = async (outside: Wishing, link: string, signal: AbortSignal): Promise<FetchedPage | undefined> => {
  let next = webAddress(link);
  for (let hops = 0; next !== undefined && hops <= redirectsMax; hops += 1) {
    const answer = await answered(outside, next, signal);
    const { statusCode = 0, headers } = answer;
    if (statusCode >= 300 && statusCode < 400) {
      answer.destroy();
      next = headers.location === undefined ? undefined : webAddress(headers.location, next);
      continue;
    }
    const contentType = headers['content-type'] ?? '';
    if (statusCode < 200 || statusCode > 299 || !outside.wanted.types.test(contentType)) {
      answer.destroy();
      return undefined;
    }
    const bytes = await unpacked(answer, outside.wanted);
    return bytes && { address: next, contentType, bytes };
  }
  return undefined;
};

const answered = async (outside: Wishing, to: WebAddress, signal: AbortSignal): Promise<IncomingMessage> => {
  const addresses = to.isIp ? [to.host] : await outside.resolve(to.host, signal);
  if (addresses.length > addressesMax) throw new Error('too many addresses');
  const isOwn = amongThese(outside.own());
  const isOpen = (address: string): boolean => isPublicAddress(address) && !isOwn(address);
  if (addresses.length === 0 || !addresses.every(isOpen)) throw new Error('not a public address');
  signal.throwIfAborted();
  const socket = await socketTo(outside, to, { addresses, signal });
  return new Promise((resolve, reject) => {
    const asked = request({
      createConnection: () => socket,
      method: 'GET',
      path: to.path,
      setHost: false,
      headers: {
        host: to.authority,
        accept: outside.wanted.accept,
        'accept-encoding': 'gzip, deflate, br',
        'user-agent': 'OsmiumServer (link previews)',
        connection: 'close',
      },
      maxHeaderSize: headerBytesMax,
      insecureHTTPParser: false,
      signal,
    });
    // An answer that is cut off later has its own error, and so may the request, long after this is settled.
    asked.on('error', reject);
    asked.on('response', resolve);
    asked.on('upgrade', () => {
      socket.destroy();
      reject(new Error('no page'));
    });
    asked.end();
  });
};

const headerBytesMax = 16_384;

type Way = { readonly addresses: readonly string[]; readonly signal: AbortSignal };

const socketTo = async (outside: Outside, to: WebAddress, { addresses, signal }: Way): Promise<Socket> => {
  const socket = outside.connect(addresses, to.port);
  const end = (): void => {
    socket.destroy();
  };
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  await once(socket, 'connect', { signal });
  // From here on the request has the errors of the connection; one that comes before it listens ends it as well.
  socket.on('error', end);
  if (!to.isTls) return socket;
  return connectTls({
    socket,
    host: to.host,
    ...(to.isIp ? {} : { servername: to.host }),
    ALPNProtocols: ['http/1.1'],
    // Also where the environment tells Node to trust everybody.
    rejectUnauthorized: true,
    ...(outside.authorities === undefined ? {} : { ca: [...outside.authorities] }),
  });
};

const unpackers = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
} as const;

const bodyOf = (answer: IncomingMessage): Readable => {
  const encoding = (answer.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '') return answer;
  const [, unpack] = Object.entries(unpackers).find(([name]) => name === encoding) ?? [];
  if (unpack === undefined) throw new Error('an encoding that was not asked for');
  // Its error reaches the reader through the stream that is read.
  return pipeline(answer, unpack(), () => undefined);
};

const unpacked = async (answer: IncomingMessage, { bytesMax, longer }: Wanted): Promise<Uint8Array | undefined> => {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const part of bodyOf(answer) as AsyncIterable<Uint8Array>) {
      parts.push(part);
      bytes += part.length;
      if (bytes > bytesMax) break;
    }
  } finally {
    answer.destroy();
  }
  return bytes > bytesMax && longer === 'nothing' ? undefined : Buffer.concat(parts).subarray(0, bytesMax);
};
