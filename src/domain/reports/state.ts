import type { ChatKey } from '../../kernel/chat.js';
import type { Fold } from '../../kernel/event.js';
import type { FileId } from '../../kernel/ids.js';
import type { ReportEvent } from './events.js';

export type ReportState =
  | { readonly status: 'absent' | 'ended' }
  | {
      readonly status: 'reported';
      readonly chat: ChatKey;
      readonly day: number;
      /** Of the evidence, each once. */
      readonly files: readonly FileId[];
    };

export const initial: ReportState = { status: 'absent' };

export const evolve: Fold<ReportState, ReportEvent> = {
  MessageReported: (_, { data: { chat, day, files = [] } }) => ({ status: 'reported', chat, day, files }),
  EvidenceKept: (state) => state,
  ReportEnded: () => ({ status: 'ended' }),
};
