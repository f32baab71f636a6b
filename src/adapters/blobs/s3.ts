import { Readable } from 'node:stream';
import type * as s3 from '@aws-sdk/client-s3';
import {
  BlobsAway,
  blobBytesMax,
  blobsPerCallMax,
  checkedBlobBytes,
  checkedBlobName,
  checkedBlobNames,
  checkedBlobPage,
  checkedBlobRange,
  type BlobEntry,
  type BlobPage,
  type BlobRange,
  type Blobs,
} from '../../kernel/ports/blobs.js';

export type S3BlobsNeeds = {
  /** `s3://BUCKET/PREFIX?endpoint=URL&region=NAME`, with `KEY:SECRET@` before the bucket where nothing else names them. */
  readonly url: string;
};

/** The address names no bucket, or a parameter that there is not. */
export class BadBucket extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'BadBucket';
  }
}

const connectMillisMax = 3_000;
const requestMillisMax = 20_000;
const attemptsMax = 3;
const socketsMax = 32;
/** Blobs that are removed at a time where the server does not remove many in one request. */
const removedAtOnce = 16;
/** Answers that one list is put together from: a server may give fewer names than it was asked for, also none. */
const answersPerListMax = blobsPerCallMax;

type Place = {
  readonly bucket: string;
  /** Before each name: empty, or with a slash at its end. */
  readonly prefix: string;
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
};

/** The place that the address names. Throws `BadBucket`. */
export const placeOfBucket = (url: string): Place => {
  const [, login, bucket = '', path = '', query = ''] =
    /^s3:\/\/(?:([^/?#]*)@)?([^/?#@]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(url) ?? [];
  if (!/^[a-z0-9][a-z0-9.-]{1,62}$/.test(bucket)) throw new BadBucket('the address names no bucket');
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) {
    if (name !== 'endpoint' && name !== 'region') throw new BadBucket(`a bucket has no parameter ${name}`);
  }
  const endpoint = parameters.get('endpoint') ?? undefined;
  if (endpoint !== undefined && !/^https?:\/\/[^/?#]+\/?$/.test(endpoint)) {
    throw new BadBucket('the endpoint is not http://HOST or https://HOST');
  }
  const prefix = path === '' || path.endsWith('/') ? path : `${path}/`;
  return { bucket, prefix, endpoint, region: parameters.get('region') ?? 'us-east-1', credentials: loginIn(login) };
};

const loginIn = (login: string | undefined): Place['credentials'] => {
  if (login === undefined) return undefined;
  const colon = login.indexOf(':');
  if (colon <= 0) throw new BadBucket('before the @ stand a key, a colon and its secret');
  return {
    accessKeyId: decodeURIComponent(login.slice(0, colon)),
    secretAccessKey: decodeURIComponent(login.slice(colon + 1)),
  };
};

/**
 * Blobs in a bucket of S3 or of a server that speaks as it does. Without credentials in the address the client looks for them as
 * Amazon's own tools do, in `AWS_ACCESS_KEY_ID` first. Resolves once the bucket has answered; throws `BlobsAway`, or `BadBucket`.
 */
export const s3Blobs = async ({ url }: S3BlobsNeeds): Promise<Blobs> => {
  const place = placeOfBucket(url);
  // It is large, and most servers do without.
  const sdk = await import('@aws-sdk/client-s3');
  const client = clientFor(sdk, place);
  const blobs = blobsIn(sdk, client, place);
  try {
    await blobs.list('', { limit: 1 });
  } catch (error) {
    client.destroy();
    throw error;
  }
  return blobs;
};

type Sdk = typeof s3;
type S3Client = s3.S3Client;

const clientFor = (sdk: Sdk, { endpoint, region, credentials }: Place): S3Client =>
  new sdk.S3Client({
    region,
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
    ...(credentials !== undefined && { credentials }),
    maxAttempts: attemptsMax,
    // Other servers than Amazon's refuse checksums that they do not know.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: connectMillisMax,
      requestTimeout: requestMillisMax,
      throwOnRequestTimeout: true,
      httpAgent: { maxSockets: socketsMax },
      httpsAgent: { maxSockets: socketsMax },
    },
  });

const blobsIn = (sdk: Sdk, client: S3Client, { bucket: Bucket, prefix: before }: Place): Blobs => {
  const keyOf = (name: string): string => `${before}${checkedBlobName(name)}`;
  const removal = removalIn(sdk, client, Bucket);
  const list = async (prefix: string, page: BlobPage): Promise<readonly BlobEntry[]> => {
    const { after = '', limit } = checkedBlobPage(prefix, page);
    if (limit === 0) return [];
    const asked = { Bucket, Prefix: `${before}${prefix}`, limit, ...(after && { StartAfter: `${before}${after}` }) };
    const entries = await told('listing', () => listed(sdk, client, asked));
    return entries.map(({ name, bytes }) => ({ name: name.slice(before.length), bytes }));
  };
  return {
    put: async (name, bytes) => {
      const put = new sdk.PutObjectCommand({ Bucket, Key: keyOf(name), Body: checkedBlobBytes(bytes) });
      await told('storing', () => client.send(put));
    },
    get: async (name, range) => {
      const part = range && checkedBlobRange(range);
      const Key = keyOf(name);
      // No range of HTTP says "nothing".
      if (part?.length === 0) return (await isThere(sdk, client, { Bucket, Key })) ? new Uint8Array(0) : undefined;
      const get = new sdk.GetObjectCommand({ Bucket, Key, ...(part && { Range: rangeText(part) }) });
      return told('reading', () => gotten(client, get, part));
    },
    list,
    async *walk(prefix) {
      // The server begins a list where it is told to, so a page costs the same wherever it is.
      for (let after = ''; ;) {
        const page = await list(prefix, { limit: blobsPerCallMax, after });
        if (page.length > 0) yield page;
        if (page.length < blobsPerCallMax) return;
        after = page.at(-1)?.name ?? after;
      }
    },
    remove: async (names) => {
      const keys = checkedBlobNames(names).map(keyOf);
      if (keys.length > 0) await told('removing', () => removal(keys));
    },
    close: () => {
      client.destroy();
      return Promise.resolve();
    },
  };
};

type Asked = {
  readonly Bucket: string;
  readonly Prefix: string;
  readonly StartAfter?: string;
  readonly limit: number;
};

/** Under their whole keys. A server says by itself whether there is more, and an answer with fewer names is no end. */
const listed = async (sdk: Sdk, client: S3Client, { limit, ...asked }: Asked): Promise<readonly BlobEntry[]> => {
  const found: BlobEntry[] = [];
  let next: string | undefined;
  for (let answers = 0; answers < answersPerListMax; answers += 1) {
    const page = { ...asked, MaxKeys: limit - found.length, ...(next !== undefined && { ContinuationToken: next }) };
    const answer = await client.send(new sdk.ListObjectsV2Command(page));
    for (const { Key, Size } of answer.Contents ?? []) {
      if (Key !== undefined && Size !== undefined && found.length < limit) found.push({ name: Key, bytes: Size });
    }
    if (answer.IsTruncated !== true || found.length === limit) return found;
    next = answer.NextContinuationToken;
    if (next === undefined) throw new Error('the list has more to come, and no word of how to ask for it');
  }
  throw new Error(`the list did not come to its end in ${answersPerListMax.toString()} answers`);
};

/** All in one request. That takes a checksum, so a server that does not know those is asked for one after the other. */
const removalIn = (sdk: Sdk, client: S3Client, Bucket: string): ((keys: readonly string[]) => Promise<void>) => {
  let knowsMany = true;
  const many = async (keys: readonly string[]): Promise<void> => {
    const Delete = { Objects: keys.map((Key) => ({ Key })), Quiet: true };
    const { Errors = [] } = await client.send(new sdk.DeleteObjectsCommand({ Bucket, Delete }));
    const [failed] = Errors.filter(({ Code }) => Code !== 'NoSuchKey');
    if (failed !== undefined) throw new Error(`${failed.Code ?? 'an object'}: ${failed.Message ?? 'it stayed'}`);
  };
  const each = async (keys: readonly string[]): Promise<void> => {
    for (let at = 0; at < keys.length; at += removedAtOnce) {
      const some = keys.slice(at, at + removedAtOnce);
      await Promise.all(some.map((Key) => client.send(new sdk.DeleteObjectCommand({ Bucket, Key }))));
    }
  };
  return async (keys) => {
    if (!knowsMany) return each(keys);
    try {
      await many(keys);
    } catch (error) {
      if (!unknowns.has(statusOf(error))) throw error;
      knowsMany = false;
      await each(keys);
    }
  };
};

/** How servers refuse a request that they do not know, or the checksum with it. */
const unknowns: ReadonlySet<number | undefined> = new Set([400, 405, 501]);

const rangeText = ({ from, length }: BlobRange): string => `bytes=${from.toString()}-${(from + length - 1).toString()}`;

type Get = InstanceType<Sdk['GetObjectCommand']>;

const gotten = async (client: S3Client, get: Get, range: BlobRange | undefined): Promise<Uint8Array | undefined> => {
  try {
    const { Body, ContentLength, ContentRange } = await client.send(get);
    if (Body === undefined) throw new Error('the answer has no body');
    const fault = faultOf(ContentLength, ContentRange, range);
    if (fault !== undefined) {
      discard(Body);
      throw new Error(fault);
    }
    const bytes = await Body.transformToByteArray();
    // A connection that ended early must not pass for a short blob.
    if (bytes.length !== ContentLength) throw new Error('the body was cut short');
    // A server that does not know ranges answers with everything.
    const isWhole = range !== undefined && ContentRange === undefined;
    return isWhole ? bytes.slice(range.from, range.from + range.length) : bytes;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    if (statusOf(error) === 416) return new Uint8Array(0);
    throw error;
  }
};

/** Why the body is not what was asked for, as far as its head tells. */
const faultOf = (
  length: number | undefined,
  contentRange: string | undefined,
  range: BlobRange | undefined,
): string | undefined => {
  if (length === undefined) return 'the answer does not say how long it is';
  if (length > blobBytesMax) return `the answer has ${length.toString()} bytes, more than any blob`;
  if (contentRange === undefined) return undefined;
  const [, from, to, total] = (/^bytes (\d+)-(\d+)\/(\d+)$/.exec(contentRange) ?? []).map(Number);
  if (range === undefined || from === undefined || to === undefined || total === undefined) {
    return `${contentRange} was not asked for`;
  }
  const isAsked =
    from === range.from && to === Math.min(range.from + range.length, total) - 1 && length === to - from + 1;
  return isAsked ? undefined : `${contentRange} was answered to ${rangeText(range)}`;
};

/** A body that nobody reads would keep its connection. */
const discard = (body: object): void => {
  if (body instanceof Readable) body.destroy();
};

const isThere = async (
  sdk: Sdk,
  client: S3Client,
  of: { readonly Bucket: string; readonly Key: string },
): Promise<boolean> => {
  try {
    await client.send(new sdk.HeadObjectCommand(of));
    return true;
  } catch (error) {
    if (statusOf(error) === 404) return false;
    throw new BlobsAway('reading a blob', error);
  }
};

/** The bucket itself may be missing, which is not that of a blob. */
const statusOf = (error: unknown): number | undefined => {
  if (!(error instanceof Error) || error.name === 'NoSuchBucket') return undefined;
  const { $metadata: of } = error as { readonly $metadata?: { readonly httpStatusCode?: number } }; // The SDK's errors.
  return of?.httpStatusCode;
};

const told = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw new BlobsAway(`${doing} a blob`, error);
  }
};
