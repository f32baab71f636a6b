import { previewStreams, type PreviewEvent } from '../../domain/previews/events.js';
import type { DocumentType } from '../../kernel/document.js';
import type { MessageId } from '../../kernel/ids.js';
import { removed } from '../runner/foldHelpers.js';
import { previewKey, type PreviewDocument } from './documents.js';

const ofMessage = ({ data }: { readonly data: { readonly message: MessageId } }): readonly string[] => [
  previewKey(data.message),
];

export const previewDocuments: DocumentType<PreviewDocument, PreviewEvent> = {
  name: 'previews',
  version: 1,
  keys: {
    PreviewFound: ofMessage,
    PreviewsSuppressed: ofMessage,
    PreviewsAllowed: ofMessage,
    PreviewOutdated: ofMessage,
    PreviewRemoved: ofMessage,
  },
  streams: (key) => [previewStreams.named(key)],
  foldsFromFirstAndLatest: true,
  indexes: {},
  evolve: {
    PreviewFound: (_, { data: { message, revision, preview } }) => ({ message, revision, preview }),
    PreviewsSuppressed: removed,
    PreviewsAllowed: removed,
    PreviewOutdated: removed,
    PreviewRemoved: removed,
  },
};
