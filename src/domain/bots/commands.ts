import type { Command } from '../../kernel/decider.js';
import type { UserId } from '../../kernel/ids.js';

type OneBot = { readonly owner: UserId; readonly bot: UserId };

export type BotCommand = Command<'CreateBot', OneBot> | Command<'DeleteBot', OneBot>;
