import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Bytes that a server left behind, and where. */
export type Left = { readonly where: string; readonly bytes: Buffer };

/** All files below the folder but those of which the path within it begins with one of `except`. */
export const leftIn = (folder: string, except: readonly string[] = []): readonly Left[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => lstatSync(join(folder, path)).isFile() && !except.some((start) => path.startsWith(start)))
    // The name of a file is left behind as well.
    .map((where) => ({ where, bytes: Buffer.concat([Buffer.from(`${where}\n`), readFileSync(join(folder, where))]) }));

/** `what where` for each of the texts that is found in any of its forms. */
export const found = (texts: readonly string[], left: readonly Left[]): readonly string[] =>
  texts.flatMap((text) => {
    const forms = formsOf(text);
    return left.flatMap(({ where, bytes }) =>
      Object.entries(forms).flatMap(([form, wanted]) =>
        bytes.includes(wanted) ? [`${text} (${form}) in ${where}`] : [],
      ),
    );
  });

const formsOf = (text: string): Readonly<Record<string, Buffer>> => {
  const utf8 = Buffer.from(text);
  const utf16 = Buffer.from(text, 'utf16le');
  const hex = utf8.toString('hex');
  const hashes = ['sha1', 'sha256'].flatMap((name): (readonly [string, Buffer])[] => {
    const hash = createHash(name).update(utf8).digest();
    return [
      [name, hash],
      [`${name} in hex`, Buffer.from(hash.toString('hex'))],
      [`${name} in base64`, Buffer.from(hash.toString('base64').slice(0, -2))],
    ];
  });
  return {
    'utf-8': utf8,
    'utf-16le': utf16,
    'utf-16be': Buffer.from(utf16).swap16(),
    json: Buffer.from(escaped(text)),
    hex: Buffer.from(hex),
    HEX: Buffer.from(hex.toUpperCase()),
    ...Object.fromEntries(hashes),
    ...Object.fromEntries([0, 1, 2].flatMap((offset) => base64At(utf8, offset))),
  };
};

const escaped = (text: string): string =>
  Array.from(text, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

/** The characters that do not depend on the bytes around. */
const base64At = (bytes: Buffer, offset: number): readonly (readonly [string, Buffer])[] =>
  (['base64', 'base64url'] as const).map((alphabet) => {
    const whole = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString(alphabet)
      .replaceAll('=', '');
    const first = offset === 0 ? 0 : offset + 1;
    const last = Math.floor(((offset + bytes.length) * 8) / 6);
    return [`${alphabet} at ${offset.toString()}`, Buffer.from(whole.slice(first, last))];
  });
