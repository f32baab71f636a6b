import type { Media } from '../../domain/messages/events.js';
import type { MessageMediaInit } from '../../gen/media.js';
import { embedFor } from './embed.js';
import { fileFor } from './file.js';

/** All that is attached to a message, in its order. */
export const mediaFor = (all: readonly Media[]): readonly MessageMediaInit[] => all.flatMap(oneFor);

const oneFor = ({ file, link, page }: Media): readonly MessageMediaInit[] => {
  if (link !== undefined) return [{ embed: embedFor({ url: link, ...page }) }];
  return file === undefined ? [] : [{ file: { file: fileFor(file) } }];
};
