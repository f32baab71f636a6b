import type { Fold } from '../../kernel/event.js';
import type { MessageId } from '../../kernel/ids.js';
import type { PinEvent } from './events.js';

/** The newest pin first. */
export type PinState = { readonly pinned: readonly MessageId[] };

export const initial: PinState = { pinned: [] };

export const evolve: Fold<PinState, PinEvent> = {
  MessagePinned: (_, { data: { pinned } }) => ({ pinned }),
  MessageUnpinned: (_, { data: { pinned } }) => ({ pinned }),
};
