/** A token is shown once, when it is made: the log has its hash alone. */
export type BotToken = { readonly id: string; readonly token: string };

export type ListedBot = { readonly id: string; readonly owner: string; readonly name: string };

/** A sentence that says why not. */
export type BotObjection = { readonly objection: string };

/** Bots that one list has at most; those of one owner are fewer. */
export const botsListedMax = 1_000;

/** The bots of a deployment, for the operator. A user is named by id or by username. */
export interface BotsAdmin {
  create(this: void, wish: { readonly name: string; readonly owner: string }): Promise<BotToken | BotObjection>;
  /** Of one owner, or of all: at most `botsListedMax`. */
  list(this: void, owner: string | undefined): Promise<readonly ListedBot[] | BotObjection>;
  /** Another token, in the place of the one before, whose sessions end. */
  token(this: void, bot: string): Promise<BotToken | BotObjection>;
  /** Ends its sessions for good. Undefined when it is gone. */
  drop(this: void, bot: string): Promise<BotObjection | undefined>;
}
