import type { Decider } from '../../kernel/decider.js';
import type { PreviewCommand } from './commands.js';
import { previewStream, type PreviewEvent } from './events.js';
import { evolve, initial, isSuppressed, type PreviewState } from './state.js';

export const previews: Decider<PreviewCommand, PreviewState, PreviewEvent> = {
  stream: ({ data }) => previewStream(data.message),
  initial,
  evolve,
  foldsFromLatest: true,
  rules: {
    // A page may answer after the words have changed, so a preview never takes the place of one for later words.
    ShowPreview: (found, state) =>
      state.status === 'suppressed' ||
      state.status === 'removed' ||
      (state.status === 'found' && state.revision >= found.revision)
        ? []
        : [{ type: 'PreviewFound', data: found }],

    SuppressPreviews: ({ sentSuppressed, ...data }, state) =>
      state.status === 'removed' || isSuppressed(state, { suppressEmbeds: sentSuppressed })
        ? []
        : [{ type: 'PreviewsSuppressed', data }],

    AllowPreviews: ({ sentSuppressed, ...data }, state) =>
      isSuppressed(state, { suppressEmbeds: sentSuppressed }) ? [{ type: 'PreviewsAllowed', data }] : [],

    RemovePreview: (data, { status }) => (status === 'found' ? [{ type: 'PreviewRemoved', data }] : []),
  },
};
