import { pinStreams, type PinEvent } from '../../domain/pins/events.js';
import type { DocumentType } from '../../kernel/document.js';
import type { MessageId } from '../../kernel/ids.js';
import { pinnedMessagesKey, type PinnedMessagesDocument } from './documents.js';

export const pinnedMessagesDocuments: DocumentType<PinnedMessagesDocument, PinEvent> = {
  name: 'pinnedMessages',
  version: 1,
  keys: {
    MessagePinned: ({ data }) => [pinnedMessagesKey(data.chat)],
    MessageUnpinned: ({ data }) => [pinnedMessagesKey(data.chat)],
  },
  streams: (key) => [pinStreams.named(key)],
  foldsFromFirstAndLatest: true,
  indexes: {},
  evolve: {
    MessagePinned: (_, { data }) => pinnedThen(data.pinned),
    MessageUnpinned: (_, { data }) => pinnedThen(data.pinned),
  },
};

const pinnedThen = (messages: readonly MessageId[]): PinnedMessagesDocument | undefined =>
  messages.length === 0 ? undefined : { messages };
