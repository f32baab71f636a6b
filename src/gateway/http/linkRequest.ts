import { isRejection, reject, type Rejection } from '../../kernel/decider.js';
import type { FileId, Millis } from '../../kernel/ids.js';
import type { FileKind, FileName } from '../files/streaming.js';
import type { Call } from '../contract/call.js';
import { costs } from '../contract/meter.js';
import { linkLifeMillis, type FileLinks } from './fileLinks.js';

/** Files of which one request may ask for links. */
export const linksPerRequestMax = 100;

/** Of the body of such a request. */
export const linkRequestBytesMax = 16_384;

/** One of them for each file that was asked for, in that order. `url` begins with a slash; `expiresAt` is Unix time in milliseconds. */
export type AnsweredLinks = {
  readonly links: readonly {
    readonly id: string;
    readonly kind: FileKind;
    readonly url: string;
    readonly expiresAt: number;
  }[];
};

/**
 * Links to the files that the body names. Whether there are such files, and whether the caller sees them, is asked when a link is
 * used: a link tells nothing that its holder did not say.
 */
export const answerLinks = (
  { signed }: Pick<FileLinks, 'signed'>,
  call: Call,
  body: unknown,
): AnsweredLinks | Rejection => {
  const names = namesIn(body);
  if (isRejection(names)) return names;
  call.meter.spend(costs.linkSigned * names.length);
  const expiresAt = (call.now + linkLifeMillis) as Millis;
  const { user, session } = call.caller;
  return {
    links: names.map(({ file, kind }) => ({
      id: file.toString(),
      kind,
      url: `/files/${file.toString()}?link=${signed({ file, kind, user, session, expiresAt })}`,
      expiresAt,
    })),
  };
};

/** Undefined for a text that is no id of anything. */
export const fileIdOf = (text: unknown): FileId | undefined => {
  if (typeof text !== 'string' || !/^[1-9]\d{0,19}$/.test(text)) return undefined;
  const id = BigInt(text);
  return id < 2n ** 64n ? (id as FileId) : undefined;
};

/** A file of a message, if nothing else is said. */
export const fileKindOf = (text: unknown): FileKind | undefined => {
  if (text === undefined) return 'media';
  return text === 'media' || text === 'photo' ? text : undefined;
};

const namesIn = (body: unknown): readonly FileName[] | Rejection => {
  const files: unknown = isObject(body) ? body['files'] : undefined;
  if (!Array.isArray(files)) return reject('INVALID_ARGUMENT', 'files is no list');
  if (files.length > linksPerRequestMax) {
    return reject('TOO_MANY', `one request is for at most ${linksPerRequestMax.toString()} files`);
  }
  const names: FileName[] = [];
  for (const [index, entry] of files.entries()) {
    const { id, kind: kindText } = isObject(entry) ? entry : {};
    const [file, kind] = [fileIdOf(id), fileKindOf(kindText)];
    if (file === undefined || kind === undefined) {
      return reject('INVALID_ARGUMENT', `files ${index.toString()} has no id of a file in decimal, or an unknown kind`);
    }
    names.push({ file, kind });
  }
  return names;
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
