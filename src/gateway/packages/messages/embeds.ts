import type { Media } from '../../../domain/messages/events.js';
import type { LinkPreviews } from '../../../kernel/ports/linkPreviews.js';
import { pause } from '../../../kernel/timing.js';
import type { Call } from '../../contract/call.js';
import { costs } from '../../contract/meter.js';
import { contentBytes, type Written } from './contentBytes.js';

export type EmbedNeeds = { readonly linkPreviews: Pick<LinkPreviews, 'previewOf'> };

/** For the pages of all links of one request together. A page that is not had by then leaves a bare link. */
export const embedsMillisMax = 3_000;

/** Links of one request that are followed at once: as many as one user may have. */
const embedsAtOnceMax = 2;

/** The words of all pages of a message, and the content beside which they are kept, as UTF-8 JSON: both share an event. */
export const pagesBytesMax = 8_000;
export const besideBytesMax = 16_000;

type Embedding = {
  readonly media: readonly Media[];
  /** Attached to the message before the edit. */
  readonly before: readonly Media[];
  readonly beside: readonly Written[];
};

/**
 * The media with the pages of their links. A message is never lost to its links: a page that cannot be had, or not in
 * time, or finds no room, is left out. A page that was attached before stays as it was, so an edit with the same media
 * changes nothing.
 */
export const embedded = async (
  { linkPreviews }: EmbedNeeds,
  { meter, caller }: Call,
  { media, before, beside }: Embedding,
): Promise<readonly Media[]> => {
  const known = new Map(before.flatMap((one) => (isBare(one) ? [] : [[one.link, one] as const])));
  const links = [...new Set(media.flatMap(({ link }) => (link === undefined || known.has(link) ? [] : [link])))];
  if (links.length > 0 && contentBytes(beside) <= besideBytesMax) {
    meter.spend(costs.linkFollowed * links.length);
    for (const one of await pagesOf(links, (link) => linkPreviews.previewOf(link, caller.user))) {
      if (one.link !== undefined) known.set(one.link, one);
    }
  }
  return fitting(media.map((one) => (one.link === undefined ? one : (known.get(one.link) ?? one))));
};

const isBare = ({ link, page }: Media): boolean => link === undefined || page === undefined;

type Preview = ReturnType<LinkPreviews['previewOf']>;

/** Those that were had in time, in no order. */
const pagesOf = async (links: readonly string[], previewOf: (link: string) => Preview): Promise<readonly Media[]> => {
  const found: Media[] = [];
  const waiting = [...links];
  const over = new AbortController();
  const follow = async (): Promise<void> => {
    for (let link = waiting.shift(); link !== undefined; link = waiting.shift()) {
      const preview = await previewOf(link);
      if (typeof preview === 'string') continue;
      const { url: _, pictureUrl: __, ...page } = preview;
      found.push({ link, page });
    }
  };
  const followed = Promise.all(Array.from({ length: embedsAtOnceMax }, follow));
  try {
    await Promise.race([followed, pause(embedsMillisMax, over.signal)]);
    return [...found];
  } finally {
    // Ends the timer, and begins none of those that are left.
    over.abort();
    waiting.length = 0;
  }
};

/** The first pages as far as there is room for them. */
const fitting = (media: readonly Media[]): readonly Media[] => {
  let left = pagesBytesMax;
  return media.map(({ page, ...one }) => {
    const bytes = page === undefined ? 0 : Buffer.byteLength(JSON.stringify(page));
    left -= bytes;
    return page === undefined || left < 0 ? one : { ...one, page };
  });
};
