import { millisOf, type FileId } from '../../kernel/ids.js';
import type { SeenFile } from '../files/reading.js';
import type { FileKind } from '../files/streaming.js';
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
export const fileHeaders = (
  { file, held }: Pick<SeenFile, 'file' | 'held'>,
  kind: FileKind,
  shownType: string | undefined,
): Headers => {
  const { etag, modifiedAt } = validatorsOf(file);
  return {
    ...guardingHeaders,
    ...(kind === 'photo' && { 'cache-control': `private, max-age=${photoSecondsMax.toString()}, immutable` }),
    'accept-ranges': 'bytes',
    'content-disposition': contentDisposition(shownType === undefined ? 'attachment' : 'inline', held.name),
    'content-type': shownType ?? 'application/octet-stream',
    etag,
    'last-modified': modifiedAt.toUTCString(),
  };
};
