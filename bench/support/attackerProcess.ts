import { setTimeout as pause } from 'node:timers/promises';
import type { RPCResult } from '../../src/gen/core.js';
import type { ChatRefInit } from '../../src/gen/refs.js';
import type { MessageId, UserId } from '../../src/kernel/ids.js';
import { halfMessages, nonReaders, places } from './crowds.js';
import { editOften, type Asked, type Edited, type Edits } from './editing.js';
import { flood } from './floods.js';
import { serveCalls } from './helper.js';
import {
  heavyMessage,
  manyEntities,
  manyLinks,
  markedAddresses,
  markedNames,
  savedMessages,
} from './hostileRequests.js';
import {
  authorized,
  checkAnswer,
  connected,
  foundedBy,
  inParallel,
  signedUp,
  tooEarlyCode,
  type Channel,
  type Introduction,
  type RawClient,
} from './rawClient.js';
import { newTally, type Tally } from './tally.js';

type Guest = { readonly client: RawClient; readonly token: string; readonly id: UserId };
type For = { readonly seconds: number };

let introduction: Introduction = { port: 0 };
const guests: Guest[] = [];
let owned: Channel | undefined;
const edited: Edited[] = [];

const retryMillis = 100;
const signedUpAtOnce = 4;

const guestAt = (at: number): Guest => {
  const guest = guests[at % guests.length];
  if (guest === undefined) throw new Error('there must be a guest');
  return guest;
};

const signUp = async ({ count }: { readonly count: number }): Promise<void> => {
  const names = Array.from({ length: count }, (_, at) => `Guest ${at.toString()}`);
  const users = await inParallel(names, signedUpAtOnce, (name) => signedUp(introduction, name));
  for (const { client, token, id } of users) if (id !== undefined) guests.push({ client, token, id });
};

/** As early as the limits allow. */
const sent = async (client: RawClient, chatRef: ChatRefInit, content = heavyMessage()): Promise<MessageId> => {
  for (;;) {
    const result = await new Promise<RPCResult>((resolve) => {
      client.ask('messagesSendMessage', { chatRef, ...content }, resolve);
    });
    if (result.error?.errorCode !== tooEarlyCode) {
      checkAnswer('messagesSendMessage', result);
      if (result.sentMessage !== undefined) return result.sentMessage.messageId;
    }
    await pause(retryMillis);
  }
};

const fillHistory = async ({ messages }: { readonly messages: number }): Promise<void> => {
  await inParallel(guests, guests.length, async ({ client }) => {
    for (let count = 0; count < messages; count += 1) await sent(client, savedMessages);
  });
};

/** Two guests write a message each, one for nobody else and one where the bystanders are. Gives the first one's token. */
const writeToEdit = async ({ communityId, channelId, invite }: Channel): Promise<string> => {
  const [alone, amongOthers] = [guestAt(0), guestAt(1)];
  await amongOthers.client.call('authUseInvite', { code: invite });
  const texts = [
    { ...alone, chatRef: savedMessages, label: 'saved' },
    { ...amongOthers, chatRef: { channel: { communityId, channelId } }, label: 'channel' },
  ];
  for (const { client, chatRef, label } of texts) {
    const messageId = await sent(client, chatRef, { message: label, entities: [] });
    edited.push({ client, chatRef, messageId, label });
  }
  return alone.token;
};

type Editing = { readonly tally: Tally; readonly accepted: Readonly<Record<string, readonly Asked[]>> };

const edit = async (edits: Edits): Promise<Editing> => {
  const tally = newTally();
  const accepted = await Promise.all(
    edited.map(async (message) => [message.label, await editOften(message, edits, tally)] as const),
  );
  return { tally, accepted: Object.fromEntries(accepted) };
};

const again = (): Promise<RawClient> => authorized(introduction, guestAt(0).token);

const calls = {
  /** Where everything else goes to, and from which address. */
  aim: ({ port, localAddress }: { readonly port: number; readonly localAddress: string }): void => {
    introduction = { port, localAddress, mayClose: true, noSubscribe: true };
  },
  signUp,
  found: async (): Promise<void> => {
    owned = await foundedBy(guestAt(0).client, 'Of the guest');
  },
  fillHistory,
  writeToEdit,
  marks: ({ seconds, bytes }: For & { readonly bytes: number }): Promise<Tally> =>
    flood({ open: () => connected(introduction), requests: markedAddresses(bytes), seconds }),
  marksAfter: ({ seconds, bytes }: For & { readonly bytes: number }): Promise<Tally> => {
    if (owned === undefined) throw new Error('there must be a community');
    return flood({ open: again, requests: markedNames(bytes, { id: guestAt(0).id, channel: owned }), seconds });
  },
  links: ({ seconds }: For): Promise<Tally> => flood({ open: again, requests: manyLinks(), seconds }),
  entities: ({ seconds }: For): Promise<Tally> => flood({ open: again, requests: manyEntities(), seconds }),
  edit,
  nonReaders: ({ seconds, count }: For & { readonly count: number }): Promise<Tally> =>
    nonReaders(
      { introduction, count, seconds },
      guests.map(({ token }) => token),
    ),
  places: ({ seconds, count }: For & { readonly count: number }): Promise<Tally> =>
    places({ introduction, count, seconds }),
  halfMessages: (what: For & { readonly count: number; readonly bytes: number }): Promise<Tally> =>
    halfMessages({ introduction, ...what }),
};

export type AttackerCalls = typeof calls;

serveCalls(calls);
