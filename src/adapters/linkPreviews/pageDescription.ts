import { defined } from '../../kernel/defined.js';
import {
  previewDescriptionUnitsMax,
  previewNameUnitsMax,
  previewTitleUnitsMax,
  type PageDescription,
} from '../../kernel/ports/linkPreviews.js';
import { nextTurn } from '../../kernel/timing.js';

type Field = keyof PageDescription;

/** The names under which pages say it, the best one first. */
const sources: Readonly<Record<Field, readonly string[]>> = {
  title: ['og:title', 'twitter:title', 'title'],
  description: ['og:description', 'twitter:description', 'description'],
  authorName: ['author', 'article:author', 'twitter:creator'],
  websiteName: ['og:site_name', 'application-name'],
  pictureUrl: ['og:image', 'og:image:url', 'og:image:secure_url', 'twitter:image', 'twitter:image:src'],
};

const unitsMax: Readonly<Record<Exclude<Field, 'pictureUrl'>, number>> = {
  title: previewTitleUnitsMax,
  description: previewDescriptionUnitsMax,
  authorName: previewNameUnitsMax,
  websiteName: previewNameUnitsMax,
};

const wanted: ReadonlySet<string> = new Set(Object.values(sources).flat());

/** So much is parsed in one go: about a millisecond. */
const sliceUnits = 32_768;

/**
 * The description that a page has of itself in its head, with the link to its picture as it stands there; nothing behind the head is looked at. The parser is loaded when
 * a page is first described, within some 100 ms.
 */
export const pageDescription = async (page: string): Promise<PageDescription> => {
  const { Parser } = await import('htmlparser2');
  const head = headReader();
  const parser = new Parser(head.handler, { decodeEntities: true, lowerCaseTags: true, lowerCaseAttributeNames: true });
  for (let at = 0; at < page.length && !head.isOver(); at += sliceUnits) {
    if (at > 0) await nextTurn();
    parser.write(page.slice(at, at + sliceUnits));
  }
  return describedBy(head.found);
};

/** Only the beginning of a text can be shown, and blanks may stand before it. */
const heldUnitsMax = 4 * previewDescriptionUnitsMax;

/**
 * Any other tag ends the head, as browsers have it. The parser searches its open tags at each that closes, so there must be
 * few of them.
 */
const inHead: ReadonlySet<string> = new Set([
  ...['html', 'head', 'title', 'meta', 'link', 'script', 'style', 'base', 'noscript', 'template'],
]);

type Attributes = Readonly<Record<string, string>>;

const headReader = () => {
  const found = new Map<string, string>();
  let isOver = false;
  let isInTitle = false;
  const add = (name: string, text: string): void => {
    const before = found.get(name) ?? '';
    if (before.length < heldUnitsMax) found.set(name, (before + text).slice(0, heldUnitsMax));
  };
  const handler = {
    onopentag: (tag: string, attributes: Attributes): void => {
      if (isOver) return;
      if (!inHead.has(tag)) isOver = true;
      if (tag === 'title' && !found.has('title')) isInTitle = true;
      const name = tag === 'meta' ? nameOf(attributes) : undefined;
      // The first of a name counts, as others take it.
      if (name !== undefined && !found.has(name)) add(name, attributes['content'] ?? '');
    },
    ontext: (text: string): void => {
      if (isInTitle && !isOver) add('title', text);
    },
    onclosetag: (tag: string): void => {
      if (tag === 'title') isInTitle = false;
      if (tag === 'head') isOver = true;
    },
  };
  return { found, handler, isOver: () => isOver };
};

const nameOf = ({ property, name }: Attributes): string | undefined =>
  [property, name].map((text) => text?.trim().toLowerCase()).find((text) => text !== undefined && wanted.has(text));

const describedBy = (found: ReadonlyMap<string, string>): PageDescription => {
  const of = (field: keyof typeof unitsMax): string | undefined => {
    for (const name of sources[field]) {
      const text = shown(found.get(name) ?? '', unitsMax[field]);
      // The author of an article is often told as an address, which is no name.
      if (text !== '' && !(field === 'authorName' && /^https?:/i.test(text))) return text;
    }
    return undefined;
  };
  return defined({
    title: of('title'),
    description: of('description'),
    authorName: of('authorName'),
    websiteName: of('websiteName'),
    pictureUrl: linkIn(found),
  });
};

/** As it stands there, and whole, since a link that was cut leads elsewhere. */
const linkIn = (found: ReadonlyMap<string, string>): string | undefined =>
  sources.pictureUrl
    .map((name) => found.get(name) ?? '')
    .filter((held) => held.length < heldUnitsMax)
    .map((whole) => whole.trim())
    .find((link) => link !== '');

// Controls, halves of pairs, separators of lines, and marks that turn the direction of all that follows.
const unwanted = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufffe\uffff]+/gu;

const shown = (text: string, max: number): string => {
  const line = text.replace(unwanted, ' ').replace(/\s+/g, ' ').trim();
  if (line.length <= max) return line;
  // A pair that is cut in two is left out.
  return `${line.slice(0, max - 1).replace(/[\ud800-\udbff]$/, '')}…`;
};
