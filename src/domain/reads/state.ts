import type { Fold } from '../../kernel/event.js';
import type { MessageId } from '../../kernel/ids.js';
import type { ReadEvent } from './events.js';

export type ReadState = { readonly marker: MessageId | undefined };

export const initial: ReadState = { marker: undefined };

export const evolve: Fold<ReadState, ReadEvent> = {
  MarkerMoved: (_, { data }) => ({ marker: data.message }),
};
