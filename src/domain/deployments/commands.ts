import type { Command } from '../../kernel/decider.js';

/** The random name of a vault, in hex. */
type Named = { readonly deployment: string };

export type IdentityCommand = Command<'NameDeployment', Named> | Command<'GiveUpKeys', Named>;

export type KeysCommand = Command<'CountKeys', Named & { readonly keys: number }>;
