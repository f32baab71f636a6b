import type { LinkPreviews } from '../../kernel/ports/linkPreviews.js';
import { firstLink } from './firstLink.js';

/** For a server that asks nothing of the outside. */
export const noLinkPreviews: LinkPreviews = {
  linkIn: firstLink,
  previewOf: () => Promise.resolve('none'),
  pictureAt: () => Promise.resolve(undefined),
  close: () => Promise.resolve(),
};
