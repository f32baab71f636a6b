import type { ChatKey } from '../../kernel/chat.js';
import type { Command } from '../../kernel/decider.js';
import type { MessageId, UserId } from '../../kernel/ids.js';
import type { LinkPreview } from '../../kernel/ports/linkPreviews.js';

type About = { readonly message: MessageId; readonly chat: ChatKey; readonly author: UserId };

/** `sentSuppressed`: the message was sent or forwarded without previews. */
type Sent = { readonly sentSuppressed: boolean };

export type PreviewCommand =
  | Command<
      'ShowPreview',
      About & { readonly writtenBy?: UserId; readonly revision: number; readonly preview: LinkPreview }
    >
  | Command<'SuppressPreviews', About & Sent>
  | Command<'AllowPreviews', About & Sent>
  | Command<'RemovePreview', About>;
