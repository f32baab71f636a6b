import assert from 'node:assert/strict';
import { inChannel, type say } from '../places.js';
import type { Heard } from '../audiences.js';
import type { CastName, World } from '../townsfolk.js';

/** Who hears what. Who is not named hears nothing. */
export type Hearing = Partial<Heard<CastName>>;
export type Step = {
  readonly title: string;
  /** Why it is not told the same to those who are connected to several nodes. */
  readonly otherwiseOnNodes?: string;
  /** What is needed for it, and is not looked at. */
  readonly given?: (w: World) => Promise<unknown>;
  readonly when: (w: World) => Promise<unknown>;
  readonly hears: Hearing;
  /** No event: it comes when it comes. */
  readonly ephemeral?: true;
};

export const alices = (...lines: readonly string[]): Hearing => ({ alice: lines, alice2: lines });
export const both = (one: Hearing, other: Hearing): Hearing => ({ ...one, ...other });
/** Everybody who is a member before Eve is. */
export const members = (...lines: readonly string[]): Hearing => ({ ...alices(...lines), bob: lines, carl: lines });
export const membersAndEve = (...lines: readonly string[]): Hearing => ({ ...members(...lines), eve: lines });

export const inSecret = ({ town, secret }: World) => inChannel(town, secret);
export const secretRef = ({ town, secret }: World) => ({ communityId: town, channelId: secret });
export const usual = '4398';
export const all = '16383';

export const seeing = (line: string): Hearing => ({ ...membersAndEve(line), dan: [line] });

export const newestIn = async ({ alice }: World, chatRef: Parameters<typeof say>[1]) => {
  const { messages: found } = await alice.do('messagesGetHistory', { chatRef, limit: 1 });
  const [newest] = found;
  assert.ok(newest);
  return newest.messageId;
};

export const idOf = ({ names }: World, wanted: string) => {
  const found = [...names].find(([, name]) => name === wanted)?.[0];
  assert.ok(found);
  // Of a channel, whose name a `channel` update brought.
  return found as World['general'];
};
