import type { MediaEmbedInit } from '../../gen/media.js';
import { defined } from '../../kernel/defined.js';
import type { LinkPreview } from '../../kernel/ports/linkPreviews.js';

/** The preview of a link. It has no picture yet. */
export const embedFor = ({ url, title, description, authorName, websiteName }: LinkPreview): MediaEmbedInit => ({
  url,
  ...defined({ title, description, authorName, websiteName }),
});
