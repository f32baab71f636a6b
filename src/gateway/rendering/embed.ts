import type { ShownPreview } from '../../domain/previews/events.js';
import type { MediaEmbedInit } from '../../gen/media.js';
import { defined } from '../../kernel/defined.js';
import { fileFor } from './file.js';

/** The preview of a link. Its picture is a file of the server's, and never an address of the page's. */
export const embedFor = ({
  url,
  title,
  description,
  authorName,
  websiteName,
  picture,
}: ShownPreview): MediaEmbedInit => ({
  url,
  ...defined({ title, description, authorName, websiteName, file: picture && fileFor(picture) }),
});
