import type { Fold } from '../../kernel/event.js';
import type { UserId } from '../../kernel/ids.js';
import type { BotEvent } from './events.js';

/** The oldest bot first. */
export type BotState = { readonly bots: readonly UserId[] };

export const initial: BotState = { bots: [] };

export const evolve: Fold<BotState, BotEvent> = {
  BotCreated: (_, { data: { bots } }) => ({ bots }),
  BotDeleted: (_, { data: { bots } }) => ({ bots }),
};
