import type { ChatKey } from '../../kernel/chat.js';
import type { Command } from '../../kernel/decider.js';
import type { FileId, MessageId, Millis, UserId } from '../../kernel/ids.js';
import type { BotInfo, Entity, Media, Quote } from '../messages/events.js';

/** One copy of a wording, as `EvidenceKept` has it. */
export type Evidence = {
  readonly kind: 'reported' | 'former' | 'neighbour';
  readonly copied: MessageId;
  readonly author: UserId;
  readonly writtenBy?: UserId;
  readonly at: Millis;
  readonly text: string;
  readonly entities: readonly Entity[];
  readonly quote?: Quote;
  readonly media?: readonly Media[];
  readonly botInfo?: BotInfo;
  /** Of a copy that takes several events, which of them this is, from 1 on. */
  readonly part?: number;
};

export type ReportCommand =
  | Command<
      'ReportMessage',
      {
        readonly message: MessageId;
        readonly chat: ChatKey;
        readonly by: UserId;
        /** Of the log. */
        readonly day: number;
        readonly reason: string;
        /** In the order in which the wordings were written; at most as many as one append takes beside the report itself. */
        readonly evidence: readonly Evidence[];
        /** Of the evidence, each once. */
        readonly files: readonly FileId[];
      }
    >
  | Command<'EndReport', { readonly message: MessageId; readonly by: UserId }>;
