import { boundedMap } from '../../kernel/boundedMap.js';
import { defined } from '../../kernel/defined.js';
import type { UserId } from '../../kernel/ids.js';
import type { LinkPreview, LinkPreviews, NoPreview, PageDescription } from '../../kernel/ports/linkPreviews.js';
import type { Allowance, RateLimit } from '../../kernel/ports/rateLimit.js';
import { underWay } from '../../kernel/underWay.js';
import { fetchTurns, type Fetching } from './fetchTurns.js';
import { firstLink } from './firstLink.js';
import { guardedFetch, wantedPicture } from './guardedFetch.js';
import { connectedTo, ownAddresses, resolvedNames, type Outside } from './outside.js';
import { pageDescription } from './pageDescription.js';
import { pageText } from './pageText.js';
import { webAddress, type WebAddress } from './webAddress.js';

/** How long it is remembered what a page says of itself, or that there is none. */
export const previewMillisMax = 3_600_000;
/** The memory that remembered pages take, about. */
export const previewsBytesMax = 8_388_608;

/** Of the addresses without a picture, about. */
export const missingPicturesBytesMax = 1_048_576;

/** On all nodes together, beside how many are fetched at once. */
export const previewAllowances = {
  host: { name: 'preview-host', burst: 30, perSecond: 1 },
  user: { name: 'preview-user', burst: 30, perSecond: 1 / 3 },
} as const satisfies Readonly<Record<string, Allowance>>;

export type LinkPreviewNeeds = Pick<Outside, 'timers'> & {
  /** Absent where limits are off. */
  readonly rateLimit?: Pick<RateLimit, 'take'>;
  /** Stands for a text where others may read it. */
  readonly keyed: (text: string) => string;
  /** Default: the system's. */
  readonly outside?: Omit<Outside, 'timers'>;
};

type Known = { readonly until: number; readonly page: PageDescription | 'none' };

/** See `LinkPreviews`. Of several who ask for one page or picture at the same moment, it is fetched for the first. */
export const linkPreviews = (needs: LinkPreviewNeeds): LinkPreviews => {
  const { timers, outside = { resolve: resolvedNames, connect: connectedTo, own: ownAddresses } } = needs;
  const closing = new AbortController();
  const known = boundedMap<string, Known>({ bytesMax: previewsBytesMax, bytesOf });
  // A picture takes much memory, so nothing is kept but that there is none.
  const missing = boundedMap<string, number>({ bytesMax: missingPicturesBytesMax, bytesOf: bytesOfMissing });
  const work = underWay();
  const turns = fetchTurns(timers);
  const fetchPage = guardedFetch({ ...outside, timers });
  const fetchPicture = guardedFetch({ ...outside, timers }, wantedPicture);

  const inTurn = <T>(fetching: Fetching, work: () => Promise<T>): Promise<T | 'busy'> =>
    turns.take(fetching, async () => (closing.signal.aborted || !(await isAllowed(needs, fetching)) ? 'busy' : work()));
  const pictures = shared(async (address, asker): Promise<Uint8Array | NoPreview> => {
    const fetching = { host: address.host, user: asker.toString() };
    const found = await inTurn(
      fetching,
      async () => (await fetchPicture(address.url, closing.signal))?.bytes ?? 'none',
    );
    if (found === 'none' && !closing.signal.aborted) missing.set(address.url, timers.now() + previewMillisMax);
    return found;
  });
  const picture = async (address: WebAddress, asker: UserId): Promise<Uint8Array | undefined> => {
    if (timers.now() < (missing.get(address.url) ?? 0)) return undefined;
    const found = await work.add(pictures(address, asker));
    return typeof found === 'string' ? undefined : found;
  };
  const pages = shared(async (address, asker): Promise<PageDescription | NoPreview> => {
    const fetching = { host: address.host, user: asker.toString() };
    const page = await inTurn(fetching, async () => describedBy(await fetchPage(address.url, closing.signal)));
    if (page !== 'busy' && !closing.signal.aborted) {
      known.set(address.url, { until: timers.now() + previewMillisMax, page });
    }
    return page;
  });
  const page = async (address: WebAddress, asker: UserId): Promise<PageDescription | NoPreview> => {
    const before = known.get(address.url);
    return before !== undefined && timers.now() < before.until ? before.page : work.add(pages(address, asker));
  };
  return {
    linkIn: firstLink,
    previewOf: async (link, asker): Promise<LinkPreview | NoPreview> => {
      const address = webAddress(link);
      const found = address === undefined ? 'none' : await page(address, asker);
      return typeof found === 'string' ? found : { url: link, ...found };
    },
    pictureAt: async (link, asker) => {
      const address = webAddress(link);
      return address && picture(address, asker);
    },
    close: async () => {
      closing.abort();
      await work.ended();
    },
  };
};

type Fetch<Found> = (address: WebAddress, asker: UserId) => Promise<Found | 'busy'>;

/** Fetches once for all who ask while that is under way. Never rejects. */
const shared = <Found>(fetch: Fetch<Found>): Fetch<Found> => {
  const underWay = new Map<string, Promise<Found | 'busy'>>();
  return async (address, asker) => {
    const begun = underWay.get(address.url);
    const found = begun === undefined ? 'busy' : await begun;
    // The user who began it may have asked for too much, which is no reason to refuse others.
    if (found !== 'busy') return found;
    const now = fetch(address, asker)
      .catch(() => 'busy' as const)
      .finally(() => {
        if (underWay.get(address.url) === now) underWay.delete(address.url);
      });
    underWay.set(address.url, now);
    return now;
  };
};

const describedBy = async (
  page: Awaited<ReturnType<ReturnType<typeof guardedFetch>>>,
): Promise<PageDescription | 'none'> => {
  if (page === undefined) return 'none';
  const { pictureUrl: link, ...description } = await pageDescription(pageText(page));
  const pictureUrl = link === undefined ? undefined : webAddress(link, page.address)?.url;
  return description.title === undefined && description.description === undefined
    ? 'none'
    : { ...description, ...defined({ pictureUrl }) };
};

/** The user pays first, so that nobody spends the allowance of a host beyond their own. */
const isAllowed = async (
  { rateLimit, keyed }: LinkPreviewNeeds,
  { host, user }: { readonly host: string; readonly user: string },
): Promise<boolean> => {
  if (rateLimit === undefined) return true;
  if (!(await rateLimit.take(previewAllowances.user, user)).allowed) return false;
  return (await rateLimit.take(previewAllowances.host, keyed(host))).allowed;
};

/** Of an entry, besides its texts. */
const entryBytes = 256;
const bytesOf = ({ page }: Known, url: string): number => {
  const texts = typeof page === 'string' ? [] : Object.values(page);
  return texts.reduce((sum, text) => sum + 2 * text.length, entryBytes + 2 * url.length);
};
const bytesOfMissing = (_: number, url: string): number => entryBytes + 2 * url.length;
