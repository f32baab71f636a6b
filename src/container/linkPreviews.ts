import type { DependencyContainer } from 'tsyringe';
import { linkPreviews } from '../adapters/linkPreviews/linkPreviews.js';
import { noLinkPreviews } from '../adapters/linkPreviews/off.js';
import { systemTimers } from '../adapters/system/timers.js';
import type { LinkPreviews } from '../kernel/ports/linkPreviews.js';
import { of, once, type Get } from './tokens.js';

/** `given` stands in the place of the real ones. */
export const registerLinkPreviews = (container: DependencyContainer, given: LinkPreviews | undefined): void => {
  once(container, of.linkPreviews, (get) => given ?? made(get));
};

const made = (get: Get): LinkPreviews => {
  const { embeds, rateLimits } = get(of.config);
  if (!embeds) return noLinkPreviews;
  return linkPreviews({
    timers: systemTimers,
    keyed: (text) => get(of.sealer).lookupHash(text),
    ...(rateLimits ? { rateLimit: get(of.rateLimit) } : {}),
  });
};
