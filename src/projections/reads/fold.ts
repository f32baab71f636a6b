import { readStreams, type ReadEvent } from '../../domain/reads/events.js';
import type { ChatKey } from '../../kernel/chat.js';
import type { DocumentType } from '../../kernel/document.js';
import type { UserId } from '../../kernel/ids.js';
import type { ReadMarkerDocument } from './documents.js';

export const readMarkerKey = (user: UserId, chat: ChatKey): string => `${user.toString()}.${chat}`;

export const readMarkerDocuments: DocumentType<ReadMarkerDocument, ReadEvent> = {
  name: 'readMarkers',
  version: 1,
  keys: { MarkerMoved: ({ data }) => [readMarkerKey(data.user, data.chat)] },
  streams: (key) => [readStreams.named(key)],
  indexes: {},
  // The log may drop all but the newest event, so nothing of the document before may count.
  evolve: { MarkerMoved: (_, { data }) => ({ message: data.message }) },
};
