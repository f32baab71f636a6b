import type { ChatKey } from '../../kernel/chat.js';
import type { Command } from '../../kernel/decider.js';
import type { MessageId, Millis, UserId } from '../../kernel/ids.js';
import type { ShownPreview } from './events.js';

type About = { readonly message: MessageId; readonly chat: ChatKey; readonly author: UserId };

/**
 * `sentSuppressed`: the message was sent or forwarded without previews. `at` paces this as an edit; it is absent where an
 * edit of the words by the same request has paid.
 */
type Wish = { readonly sentSuppressed: boolean; readonly at?: Millis };

export type PreviewCommand =
  | Command<
      'ShowPreview',
      About & { readonly writtenBy?: UserId; readonly revision: number; readonly preview: ShownPreview }
    >
  | Command<'SuppressPreviews', About & Wish>
  | Command<'AllowPreviews', About & Wish>
  /** The message has other words since this revision. */
  | Command<'OutdatePreview', About & { readonly revision: number }>
  | Command<'RemovePreview', About>;
