import { reject, type Decider } from '../../kernel/decider.js';
import type { BotCommand } from './commands.js';
import { botStream, type BotEvent } from './events.js';
import { evolve, initial, type BotState } from './state.js';

/** Bots of one owner. */
export const botsMax = 25;

export const bots: Decider<BotCommand, BotState, BotEvent> = {
  stream: ({ data }) => botStream(data.owner),
  initial,
  evolve,
  foldsFromLatest: true,
  rules: {
    CreateBot: ({ owner, bot }, state) => {
      if (state.bots.includes(bot)) return [];
      if (state.bots.length >= botsMax) return reject('TOO_MANY', `an owner may have ${botsMax.toString()} bots`);
      return [{ type: 'BotCreated', data: { owner, bot, bots: [...state.bots, bot] } }];
    },

    DeleteBot: ({ owner, bot }, state) =>
      state.bots.includes(bot)
        ? [{ type: 'BotDeleted', data: { owner, bot, bots: state.bots.filter((other) => other !== bot) } }]
        : [],
  },
};
