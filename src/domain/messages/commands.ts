import type { ChatKey } from '../../kernel/chat.js';
import type { Command } from '../../kernel/decider.js';
import type { MessageId, Millis, UserId } from '../../kernel/ids.js';
import type { BotInfo, Buttons } from './botInfo.js';
import type { Announcement, Entity, Media, Quote } from './events.js';
import type { AliveMessage } from './state.js';

type About = { readonly message: MessageId; readonly chat: ChatKey; readonly by: UserId };

/** The content as written: `mentions` are the users whom the entities name. */
export type Content = {
  readonly text: string;
  readonly entities: readonly Entity[];
  readonly mentions: readonly UserId[];
};

/** Where the words of a forwarded message come from: a forward of a forward has what the first one has. */
export type Original = {
  /** The author of the words, who need not be in the chat. */
  readonly writtenBy: UserId;
  readonly writtenAt: Millis;
  /** The message that was forwarded. */
  readonly original: MessageId;
};

export type MessageCommand =
  | Command<
      'SendMessage',
      About &
        Content & {
          readonly replyTo?: MessageId;
          readonly quote?: Quote;
          /** The user whose words are quoted. */
          readonly quotes?: UserId;
          readonly nonce?: bigint;
          readonly requestHash?: string;
          readonly botInfo?: BotInfo;
          readonly media?: readonly Media[];
          readonly suppressEmbeds?: boolean;
        }
    >
  | Command<
      'ForwardMessage',
      About & Content & Original & { readonly media?: readonly Media[]; readonly suppressEmbeds?: boolean }
    >
  /** Without `buttons` those that there are stay. `suppressEmbeds`: the same request hides previews. */
  | Command<
      'EditMessage',
      About & {
        readonly at: Millis;
        readonly content?: EditedContent;
        readonly buttons?: Buttons;
        readonly suppressEmbeds?: boolean;
      }
    >
  | Command<'DeleteMessage', About & { readonly mayDeleteOthers: boolean }>
  /** `by` is the user whom it is about. */
  | Command<'AnnounceMember', About & { readonly announces: Announcement }>
  | WithdrawMessage
  | WithdrawEdit;

/** The author had lost the right to send the message before it came to its place in the log. */
export type WithdrawMessage = Command<'WithdrawMessage', Pick<About, 'message' | 'chat'>>;

/**
 * The author had lost the right to edit before the latest edit came to its place in the log. `paidUntil` is of that edit,
 * and tells it from others. `shown` is what the message showed before, and `editedAt` the date that it had then.
 */
export type WithdrawEdit = Command<
  'WithdrawEdit',
  Pick<About, 'message' | 'chat'> & {
    readonly paidUntil: Millis;
    readonly shown: AliveMessage;
    readonly editedAt?: Millis;
  }
>;

/**
 * `keepsText`: the entities are new, the text is the one for which they were made and must still be the message's. Without
 * `media` what is attached stays.
 */
export type EditedContent = Content & { readonly keepsText: boolean; readonly media?: readonly Media[] };
