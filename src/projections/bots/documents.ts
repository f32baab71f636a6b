import type { UserId } from '../../kernel/ids.js';

/** A bot that is not deleted. Key: its id, in decimal. Index: `byOwner` [owner, bot]. */
export type BotDocument = { readonly bot: UserId; readonly owner: UserId };
