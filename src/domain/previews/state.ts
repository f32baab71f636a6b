import type { Fold } from '../../kernel/event.js';
import type { PreviewEvent } from './events.js';

/** `asSent`: nothing has happened yet, so the message itself says whether previews are wanted. */
export type PreviewState =
  | { readonly status: 'asSent' | 'suppressed' | 'allowed' | 'removed' }
  | { readonly status: 'found'; readonly revision: number };

export const initial: PreviewState = { status: 'asSent' };

export const evolve: Fold<PreviewState, PreviewEvent> = {
  PreviewFound: (_, { data: { revision } }) => ({ status: 'found', revision }),
  PreviewsSuppressed: () => ({ status: 'suppressed' }),
  PreviewsAllowed: () => ({ status: 'allowed' }),
  PreviewRemoved: () => ({ status: 'removed' }),
};

/** Whether the author wants no previews, of a message that was sent so or not. */
export const isSuppressed = (
  { status }: PreviewState,
  { suppressEmbeds }: { readonly suppressEmbeds?: boolean | undefined },
): boolean => status === 'suppressed' || (status === 'asSent' && suppressEmbeds === true);
