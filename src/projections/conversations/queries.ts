import type { ChatKey } from '../../kernel/chat.js';
import type { MessageId, UserId } from '../../kernel/ids.js';
import { documentOf, documentsIn, type Reads } from '../reading/queries.js';
import type { ConversationDocument } from './documents.js';
import { conversationDocuments } from './fold.js';

/** Undefined until the first message. Direct chats and saved messages only. */
export const conversation = (reads: Reads, chat: ChatKey): Promise<ConversationDocument | undefined> =>
  documentOf(reads, conversationDocuments, chat);

export type ConversationsPage = {
  /** Only those whose sort id (`sortIdOf`) is below. */
  readonly before?: MessageId;
  /** Only those whose sort id is above. */
  readonly after?: MessageId;
  readonly limit: number;
  /** Default: all of them. */
  readonly only?: 'answered';
};

/** Those with the newest activity first. */
export const conversationsOf = (
  reads: Reads,
  user: UserId,
  { only, ...page }: ConversationsPage,
): Promise<readonly ConversationDocument[]> =>
  documentsIn(reads, conversationDocuments, {
    index: only ?? 'byMember',
    within: [user],
    order: 'descending',
    ...page,
  });
