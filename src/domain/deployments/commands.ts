import type { Command } from '../../kernel/decider.js';
import type { Millis } from '../../kernel/ids.js';

/** The random name of a vault, in hex. */
type Named = { readonly deployment: string };

export type IdentityCommand = Command<'NameDeployment', Named> | Command<'GiveUpKeys', Named>;

export type KeysCommand = Command<'CountKeys', Named & { readonly keys: number }>;

type AtClock = { readonly clock: Millis };

/** `BeginDays` also puts a clock right that was ahead when the last day was counted. `after`: the days counted before. */
export type DaysCommand = Command<'BeginDays', AtClock> | Command<'CountDay', AtClock & { readonly after: number }>;
