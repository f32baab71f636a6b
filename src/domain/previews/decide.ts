import type { Decider, Decision } from '../../kernel/decider.js';
import { defined } from '../../kernel/defined.js';
import { paced } from '../../kernel/editPace.js';
import type { Millis } from '../../kernel/ids.js';
import type { WrittenEvent } from '../../kernel/personal.js';
import type { PreviewCommand } from './commands.js';
import { previewStream, type PreviewEvent } from './events.js';
import { evolve, initial, isSuppressed, lostWith, paidIn, type PreviewState } from './state.js';

export const previews: Decider<PreviewCommand, PreviewState, PreviewEvent> = {
  stream: ({ data }) => previewStream(data.message),
  initial,
  evolve,
  foldsFromLatest: true,
  rules: {
    ShowPreview: (found, state) =>
      isWanted(found, state)
        ? [
            {
              type: 'PreviewFound',
              data: {
                ...found,
                ...defined({ gained: found.preview.picture?.file }),
                ...lostWith(state),
                ...paidIn(state),
              },
            },
          ]
        : [],

    SuppressPreviews: ({ sentSuppressed, at, ...data }, state) =>
      state.status === 'removed' || isSuppressed(state, { suppressEmbeds: sentSuppressed })
        ? []
        : wished({ type: 'PreviewsSuppressed', data: { ...data, ...lostWith(state) } }, state, at),

    AllowPreviews: ({ sentSuppressed, at, ...data }, state) =>
      isSuppressed(state, { suppressEmbeds: sentSuppressed })
        ? wished({ type: 'PreviewsAllowed', data }, state, at)
        : [],

    OutdatePreview: (data, state) =>
      state.status === 'found' && state.revision < data.revision
        ? [{ type: 'PreviewOutdated', data: { ...data, ...lostWith(state), ...paidIn(state) } }]
        : [],

    RemovePreview: (data, state) =>
      state.status === 'found' ? [{ type: 'PreviewRemoved', data: { ...data, ...lostWith(state) } }] : [],
  },
};

/** A page may answer after the words have changed, so a preview never takes the place of one for later words. */
const isWanted = ({ revision }: { readonly revision: number }, state: PreviewState): boolean => {
  if (state.status === 'outdated') return revision >= state.revision;
  if (state.status === 'found') return revision > state.revision;
  return state.status !== 'suppressed' && state.status !== 'removed';
};

type Wish = Extract<WrittenEvent<PreviewEvent>, { readonly type: 'PreviewsSuppressed' | 'PreviewsAllowed' }>;

/** Each wish lengthens the stream of the message, so an author has so many of them as edits. */
const wished = (wish: Wish, state: PreviewState, at: Millis | undefined): Decision<PreviewEvent> =>
  at === undefined
    ? [{ ...wish, data: { ...wish.data, ...paidIn(state) } }]
    : paced<Wish>([wish], state.editsPaidUntil, at);
