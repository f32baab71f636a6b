import { millisOf, type FileId } from '../../kernel/ids.js';
import type { NamedFile } from '../files/streaming.js';
import type { Validators } from './conditions.js';
import { contentDisposition } from './contentDisposition.js';

/** As Node takes them. */
export type Headers = Readonly<Record<string, string>>;

/** How long a browser may keep a photo, in seconds: an id never stands for another one. */
export const photoSecondsMax = 86_400;

/**
 * Of every answer about files, refusals included: no browser takes bytes for another type, runs them, or tells others where
 * they came from, and no proxy keeps them.
 */
export const guardingHeaders: Headers = {
  'cache-control': 'private, no-store',
  'content-security-policy': "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

export const validatorsOf = (file: FileId): Validators => ({
  etag: `"${file.toString()}"`,
  modifiedAt: new Date(millisOf(file)),
});

/** Of a file itself. `shownType`: the type under which a browser may show it; undefined for one that is to be kept. */
export const fileHeaders = ({ file, held, kind }: NamedFile, shownType: string | undefined): Headers => {
  const { etag, modifiedAt } = validatorsOf(file);
  return {
    ...guardingHeaders,
    // Only a photo has no type of a sender; a file of a message that is asked for as one stays what it is.
    ...(kind === 'photo' &&
      held.mimetype === undefined && { 'cache-control': `private, max-age=${photoSecondsMax.toString()}, immutable` }),
    'accept-ranges': 'bytes',
    'content-disposition': contentDisposition(shownType === undefined ? 'attachment' : 'inline', held.name),
    'content-type': shownType ?? 'application/octet-stream',
    etag,
    'last-modified': modifiedAt.toUTCString(),
  };
};
