import { setTimeout as pause } from 'node:timers/promises';
import type { RPCResult } from '../../src/gen/core.js';
import type { ChatRefInit } from '../../src/gen/refs.js';
import type { MessageId } from '../../src/kernel/ids.js';
import { tooEarlyCode, type RawClient } from './rawClient.js';
import { sharedMillis } from './sharedClock.js';
import { count, type Tally } from './tally.js';

export type Edited = {
  readonly client: RawClient;
  readonly chatRef: ChatRefInit;
  readonly messageId: MessageId;
  /** Begins the text of each edit, so that edits of several messages can be told apart. */
  readonly label: string;
};

export type Edits = { readonly edits: number; readonly seconds: number };

/** An edit that was accepted: the whole text, and when it was asked for on the shared clock. */
export type Asked = { readonly text: string; readonly atMillis: number };

const atOnce = 4;
const retryMillis = 50;

/** Edits one message so many times, as fast as the limits let it. Gives the accepted ones in the order of their answers. */
export const editOften = async (
  { client, chatRef, messageId, label }: Edited,
  { edits, seconds }: Edits,
  tally: Tally,
): Promise<readonly Asked[]> => {
  const until = performance.now() + seconds * 1_000;
  const accepted: Asked[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < edits && client.socket.isOpen) {
      next += 1;
      const text = `${label} ${next.toString()}`;
      const asked = await accept(text);
      if (asked !== undefined) accepted.push(asked);
    }
  };
  /** An edit that comes too early is asked for again. */
  const accept = async (text: string): Promise<Asked | undefined> => {
    while (performance.now() < until) {
      const atMillis = sharedMillis();
      tally.sent += 1;
      const result = await edit(text);
      count(tally, result);
      if (result.error === undefined) return { text, atMillis };
      if (result.error.errorCode !== tooEarlyCode) return undefined;
      await pause(retryMillis);
    }
    return undefined;
  };
  const edit = (message: string): Promise<RPCResult> =>
    new Promise((resolve) => {
      client.ask('messagesEditMessage', { chatRef, messageId, message }, resolve);
    });
  tally.opened += 1;
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (client.socket.isOpen) tally.remaining += 1;
  else tally.closed += 1;
  return accepted;
};
