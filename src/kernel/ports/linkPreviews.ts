import type { UserId } from '../ids.js';

/** In UTF-16 code units. Longer texts of a page are cut. */
export const previewTitleUnitsMax = 256;
export const previewDescriptionUnitsMax = 512;
export const previewNameUnitsMax = 100;
/** A longer link has no preview. */
export const previewedLinkUnitsMax = 2_048;

/** The words that a page has for itself, on one line each and without control characters. */
export type PageDescription = {
  readonly title?: string;
  readonly description?: string;
  readonly authorName?: string;
  readonly websiteName?: string;
  /** The address of the picture that it has for itself. Nobody but the server is to ask for it. */
  readonly pictureUrl?: string;
};

/** `url` is the link as it stands in the message, also where the page names another address or leads to one. */
export type LinkPreview = PageDescription & { readonly url: string };

/** The part of a message's entity that says where a link is, and where none counts. */
export type LinkSpan = {
  readonly kind: string;
  readonly start: number;
  readonly length: number;
  readonly url?: string | undefined;
};
export type LinkedText = { readonly text: string; readonly entities: readonly LinkSpan[] };

/**
 * Why there is nothing to show. `none`: the page cannot be had, must not be asked for, or says nothing of itself.
 * `busy`: so much is being fetched, or was fetched lately, that this was not tried; later it may be.
 */
export type NoPreview = 'none' | 'busy';

/**
 * Fetches what pages say of themselves. This is the only part of the server that opens connections to addresses which
 * users name, so it refuses all but public ones, and nothing that can be set from outside widens that.
 */
export interface LinkPreviews {
  /**
   * The first http or https link by its place in the text: covered by an entity, or standing in the text by itself. Code
   * and spoilers have none. Takes time in proportion to the text, which the caller bounds.
   */
  linkIn(this: void, words: LinkedText): Promise<string | undefined>;
  /** Takes seconds: the wait for a turn, and the fetch. Never rejects. */
  previewOf(this: void, link: string, asker: UserId): Promise<LinkPreview | NoPreview>;
  /**
   * The bytes behind the `pictureUrl` of a page, which are said to be a picture and may be anything; undefined where they cannot be had
   * whole. Takes seconds, as above. Never rejects.
   */
  pictureAt(this: void, link: string, asker: UserId): Promise<Uint8Array | undefined>;
  /** Ends what is under way. */
  close(this: void): Promise<void>;
}
