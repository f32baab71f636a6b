import { previewedLinkUnitsMax, type LinkedText, type LinkSpan } from '../../kernel/ports/linkPreviews.js';
import { webAddress } from './webAddress.js';

/** Texts in which a link is shown as it is written, or not at all before somebody asks for it. */
const closed: ReadonlySet<string> = new Set(['code', 'pre', 'spoiler']);

type Found = { readonly at: number; readonly link: string };

/**
 * See `LinkPreviews.linkIn`. Without a scheme only the text of an entity is taken for a link: `index.md` in a sentence
 * is none, though there is a domain of that form.
 */
export const firstLink = async ({ text, entities }: LinkedText): Promise<string | undefined> => {
  const hidden = entities.filter(({ kind }) => closed.has(kind));
  const isShown = (place: number): boolean =>
    !hidden.some(({ start, length }) => place >= start && place < start + length);
  const named = entities.flatMap((entity) => namedBy(entity, text)).filter(({ at }) => isShown(at));
  // An entity is asked before the text under it, because the sort is stable.
  return [...named, ...(await firstStandingIn(text, isShown))]
    .sort((one, other) => one.at - other.at)
    .find(({ link }) => webAddress(link) !== undefined)?.link;
};

const scheme = /^[a-z][a-z\d+.-]*:/i;

const namedBy = ({ kind, start, length, url }: LinkSpan, text: string): readonly Found[] => {
  if (kind === 'textUrl') return url === undefined ? [] : [{ at: start, link: url }];
  if (kind !== 'url') return [];
  const covered = text.slice(start, start + length).trim();
  return [{ at: start, link: scheme.test(covered) ? covered : `https://${covered}` }];
};

/** A letter or digit before it makes another scheme of it. Scripts without spaces write links right behind a word. */
const beginnings = /(?<![a-z\d+.-])https?:\/\//gi;
/** Marks that end a sentence or a quotation in scripts without spaces, and never stand in an address as it is. */
const ends = /[。，、；：！？」』》】〉]/u;

/** So many beginnings are looked at, of which none was a link. A look takes no more of the text than a link may have. */
const placesMax = 32;

const firstStandingIn = async (text: string, isShown: (place: number) => boolean): Promise<readonly Found[]> => {
  const places = [...text.matchAll(beginnings)].map(({ index }) => index).filter(isShown);
  if (places.length === 0) return [];
  const { LinkifyIt } = await import('linkify-it');
  const links = new LinkifyIt({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });
  for (const at of places.slice(0, placesMax)) {
    const [rest = ''] = text.slice(at, at + previewedLinkUnitsMax).split(ends, 1);
    const link = links.matchAtStart(rest)?.url;
    if (link !== undefined && webAddress(link) !== undefined) return [{ at, link }];
  }
  return [];
};
