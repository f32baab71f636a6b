import type * as s3 from '@aws-sdk/client-s3';
import {
  BlobsAway,
  checkedBlobBytes,
  checkedBlobName,
  checkedBlobNames,
  checkedBlobPage,
  checkedBlobRange,
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
/** Blobs of one call that are removed at a time. Asking for all at once takes a checksum that not all servers know. */
const removedAtOnce = 8;

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
    list: async (prefix, page) => {
      const { after, limit } = checkedBlobPage(prefix, page);
      if (limit === 0) return [];
      const asked = { Bucket, Prefix: `${before}${prefix}`, MaxKeys: limit };
      const list = new sdk.ListObjectsV2Command({ ...asked, ...(after && { StartAfter: `${before}${after}` }) });
      const { Contents = [] } = await told('listing', () => client.send(list));
      return Contents.flatMap(({ Key, Size }) =>
        Key === undefined || Size === undefined ? [] : [{ name: Key.slice(before.length), bytes: Size }],
      );
    },
    remove: async (names) => {
      const keys = checkedBlobNames(names).map(keyOf);
      for (let at = 0; at < keys.length; at += removedAtOnce) {
        const some = keys.slice(at, at + removedAtOnce);
        await told('removing', () =>
          Promise.all(some.map((Key) => client.send(new sdk.DeleteObjectCommand({ Bucket, Key })))),
        );
      }
    },
    close: () => {
      client.destroy();
      return Promise.resolve();
    },
  };
};

const rangeText = ({ from, length }: BlobRange): string => `bytes=${from.toString()}-${(from + length - 1).toString()}`;

type Get = InstanceType<Sdk['GetObjectCommand']>;

const gotten = async (client: S3Client, get: Get, range: BlobRange | undefined): Promise<Uint8Array | undefined> => {
  try {
    const { Body, ContentLength, ContentRange } = await client.send(get);
    const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array(0);
    // A connection that ended early must not pass for a short blob.
    if (ContentLength === undefined || bytes.length !== ContentLength) throw new Error('the body was cut short');
    // A server that does not know ranges answers with everything.
    const isWhole = range !== undefined && ContentRange === undefined;
    return isWhole ? bytes.slice(range.from, range.from + range.length) : bytes;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    if (statusOf(error) === 416) return new Uint8Array(0);
    throw error;
  }
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
