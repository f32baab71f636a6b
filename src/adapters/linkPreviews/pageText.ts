import type { FetchedPage } from './guardedFetch.js';

/** A page says within so many bytes in which characters it is written, or not at all. */
const toldWithinBytes = 4_096;

/** No header that means well is longer. */
const headerUnitsMax = 256;

const inHeader = /charset\s*=\s*["']?\s*([\w.:+-]+)/i;
const inPage = /<meta\b[^>]{0,1024}?\bcharset\s*=\s*["']?\s*([\w.:+-]+)/i;

/** The page as text: in the characters that its byte order mark, its header or itself names, in this order. */
export const pageText = ({ contentType, bytes }: Pick<FetchedPage, 'contentType' | 'bytes'>): string =>
  decoderFor(contentType, bytes).decode(bytes);

const decoderFor = (contentType: string, bytes: Uint8Array): InstanceType<typeof TextDecoder> => {
  const label = markedAs(bytes) ?? inHeader.exec(contentType.slice(0, headerUnitsMax))?.[1] ?? toldBy(bytes) ?? 'utf-8';
  try {
    return new TextDecoder(label);
  } catch {
    return new TextDecoder();
  }
};

const markedAs = ([first, second, third]: Uint8Array): string | undefined => {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  return first === 0xff && second === 0xfe ? 'utf-16le' : undefined;
};

/** A page that could be read up to here is not in UTF-16, although it may say so. */
const toldBy = (bytes: Uint8Array): string | undefined => {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, toldWithinBytes));
  const label = inPage.exec(head)?.[1];
  return label !== undefined && /^utf-?16/i.test(label) ? 'utf-8' : label;
};
