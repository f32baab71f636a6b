/** Bytes at the beginning of a file by which its type is told. */
export const typeHeadBytes = 16;

/**
 * The type under which a browser may show a file: one that can run nothing, and that both the sender and the bytes name.
 * Undefined for all others, among them HTML, SVG and PDF, which are given out as bytes to keep.
 */
export const shownTypeOf = (mimetype: string | undefined, head: Uint8Array): string | undefined => {
  if (mimetype === undefined) return pictureTypeOf(Buffer.from(head));
  const type = baseOf(mimetype);
  return shownTypes.get(type)?.(Buffer.from(head)) === true ? type : undefined;
};

/** Whether the bytes have to be looked at. A photo says nothing of its type, and is a picture that the server has made. */
export const mayBeShown = (mimetype: string | undefined): boolean =>
  mimetype === undefined || shownTypes.has(baseOf(mimetype));

const pictureTypeOf = (head: Buffer): string | undefined =>
  [...shownTypes].find(([type, begins]) => type.startsWith('image/') && begins(head))?.[0];

/** Parameters, such as codecs, say nothing that the bytes do not. */
const baseOf = (mimetype: string): string => mimetype.replace(/;.*$/s, '').trim().toLowerCase();

type Begins = (head: Buffer) => boolean;

const has =
  (text: string, at = 0): Begins =>
  (head) =>
    head.subarray(at, at + text.length).equals(Buffer.from(text, 'latin1'));
const both =
  (one: Begins, other: Begins): Begins =>
  (head) =>
    one(head) && other(head);
const either =
  (...some: readonly Begins[]): Begins =>
  (head) =>
    some.some((begins) => begins(head));

const ogg = has('OggS');
const matroska = has('\x1a\x45\xdf\xa3');
const isoMedia = has('ftyp', 4);
const mpegFrame: Begins = (head) => head[0] === 0xff && ((head[1] ?? 0) & 0xe0) === 0xe0;

const shownTypes: ReadonlyMap<string, Begins> = new Map([
  ['image/png', has('\x89PNG\r\n\x1a\n')],
  ['image/jpeg', has('\xff\xd8\xff')],
  ['image/gif', either(has('GIF87a'), has('GIF89a'))],
  ['image/webp', both(has('RIFF'), has('WEBP', 8))],
  ['image/avif', either(has('ftypavif', 4), has('ftypavis', 4))],
  ['audio/mpeg', either(has('ID3'), mpegFrame)],
  ['audio/mp4', isoMedia],
  ['audio/ogg', ogg],
  ['audio/webm', matroska],
  ['audio/flac', has('fLaC')],
  ['audio/wav', both(has('RIFF'), has('WAVE', 8))],
  ['video/mp4', isoMedia],
  ['video/ogg', ogg],
  ['video/webm', matroska],
]);
