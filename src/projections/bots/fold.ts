import type { BotEvent } from '../../domain/bots/events.js';
import type { DocumentType } from '../../kernel/document.js';
import type { UserId } from '../../kernel/ids.js';
import { removed } from '../runner/foldHelpers.js';
import type { BotDocument } from './documents.js';

export const botKey = (bot: UserId): string => bot.toString();

const ofBot = ({ data }: { readonly data: { readonly bot: UserId } }): readonly string[] => [botKey(data.bot)];

export const botDocuments: DocumentType<BotDocument, BotEvent> = {
  name: 'bots',
  version: 1,
  keys: { BotCreated: ofBot, BotDeleted: ofBot },
  // A bot's events are in the stream of its owner, whom its key does not name.
  streams: 'log',
  indexes: { byOwner: ({ owner, bot }) => [[owner, bot]] },
  evolve: {
    BotCreated: (_, { data: { bot, owner } }) => ({ bot, owner }),
    BotDeleted: removed,
  },
};
