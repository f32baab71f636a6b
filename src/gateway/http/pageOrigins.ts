import type { Headers } from './fileHeaders.js';

/** How long a browser may remember what a page was allowed, in seconds. */
const allowedSecondsMax = 600;

const askedHeaders =
  'authorization, content-type, if-match, if-modified-since, if-none-match, if-range, if-unmodified-since, range';
const readHeaders =
  'accept-ranges, content-disposition, content-length, content-range, etag, last-modified, retry-after';

/**
 * For the browser of the page that asks. It is one that may connect: the server has refused all others. Without listed origins, nothing
 * but the server's own pages may show a file either.
 */
export const originHeaders = (origins: readonly string[], origin: string | undefined): Headers => ({
  vary: 'Origin',
  'cross-origin-resource-policy': origins.length === 0 ? 'same-origin' : 'cross-origin',
  ...(origin !== undefined && {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': readHeaders,
  }),
});

/** The answer to a browser that asks whether a page may ask. */
export const preflightHeaders = (methods: string): Headers => ({
  'access-control-allow-methods': methods,
  'access-control-allow-headers': askedHeaders,
  'access-control-max-age': allowedSecondsMax.toString(),
});
