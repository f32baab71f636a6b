import { defined } from '../../kernel/defined.js';
import type { Fold } from '../../kernel/event.js';
import type { FileId, Millis } from '../../kernel/ids.js';
import type { PreviewEvent } from './events.js';

/** `asSent`: nothing has happened yet, so the message itself says whether previews are wanted. */
export type PreviewState = Paid &
  (
    | { readonly status: 'asSent' | 'suppressed' | 'allowed' | 'removed' }
    /** `revision` is that of the words of the preview, or of the words that took their place. */
    | { readonly status: 'outdated'; readonly revision: number }
    | { readonly status: 'found'; readonly revision: number; readonly file?: FileId }
  );

/** See `editPaid`. */
type Paid = { readonly editsPaidUntil?: Millis };

export const initial: PreviewState = { status: 'asSent' };

export const evolve: Fold<PreviewState, PreviewEvent> = {
  PreviewFound: (_, { data }) => ({
    status: 'found',
    revision: data.revision,
    ...defined({ file: data.gained }),
    ...paidIn(data),
  }),
  PreviewsSuppressed: (_, { data }) => ({ status: 'suppressed', ...paidIn(data) }),
  PreviewsAllowed: (_, { data }) => ({ status: 'allowed', ...paidIn(data) }),
  PreviewOutdated: (_, { data }) => ({ status: 'outdated', revision: data.revision, ...paidIn(data) }),
  PreviewRemoved: () => ({ status: 'removed' }),
};

export const paidIn = ({ editsPaidUntil }: Paid): Paid => defined({ editsPaidUntil });

/** Whether the author wants no previews, of a message that was sent so or not. */
export const isSuppressed = (
  { status }: Pick<PreviewState, 'status'>,
  { suppressEmbeds }: { readonly suppressEmbeds?: boolean | undefined },
): boolean => status === 'suppressed' || (status === 'asSent' && suppressEmbeds === true);

/** As the event has it that ends what is shown. */
export const lostWith = (state: PreviewState): { readonly lost?: FileId } =>
  state.status === 'found' ? defined({ lost: state.file }) : {};
