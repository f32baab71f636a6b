import { setTimeout as pause } from 'node:timers/promises';
import type { RPCResult } from '../../src/gen/core.js';
import type { ChatRefInit } from '../../src/gen/refs.js';
import type { MessageId, UserId } from '../../src/kernel/ids.js';
import { permission, usualPermissions } from '../../src/kernel/permissions.js';
import { bursts, halfMessages, nonReaders, places, reconnects, type BurstName } from './crowds.js';
import { editOften, type Asked, type Edited, type Edits } from './editing.js';
import { flood, framesOf, type FloodFrames } from './floods.js';
import { serveCalls } from './helper.js';
import { heavyMessage, requestLists, savedMessages, type ListName, type Target } from './hostileRequests.js';
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
import { TrafficRecord } from './traffic.js';

type Guest = { client: RawClient; readonly token: string; readonly id: UserId };
type For = { readonly seconds: number };
type Crowded = For & { readonly count: number };

let introduction: Introduction = { port: 0 };
const guests: Guest[] = [];
let owned: Channel | undefined;
const edited: Edited[] = [];
const record = new TrafficRecord();
let loaded: FloodFrames = [];

const retryMillis = 100;
const signedUpAtOnce = 8;
const foundedAtOnce = 32;
const connectionsOfGuest = 2;

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

type Founding = For & { readonly communities: number; readonly channels: number };

/**
 * Communities of the first guest with so many channels each, as many of them as can be founded in the time, which the
 * others join. Gives their number.
 */
const found = async ({ communities, channels, seconds }: Founding): Promise<number> => {
  const until = performance.now() + seconds * 1_000;
  let founded = 0;
  const owners = await inParallel(Array.from({ length: Math.min(communities, foundedAtOnce) }), foundedAtOnce, again);
  const work = async (owner: RawClient): Promise<void> => {
    while (founded < communities && (founded === 0 || performance.now() < until)) {
      founded += 1;
      await foundOne(owner, channels);
    }
  };
  await Promise.all(owners.map(work));
  for (const owner of owners) owner.leave();
  return founded;
};

/** Founded one at a time: the new community is the last of the list. */
let founding: Promise<unknown> = Promise.resolve();

const foundOne = async (owner: RawClient, channels: number): Promise<void> => {
  const channel = founding.then(() => foundedBy(owner, 'Of the guest'));
  founding = channel;
  owned = await channel;
  const { communityId, invite } = owned;
  const more = Array.from({ length: channels - 1 }, (_, at) => at.toString());
  await inParallel(more, more.length, (name) => owner.call('communitiesCreateChannel', { communityId, name }));
  for (const { client } of guests.slice(1)) await client.call('authUseInvite', { code: invite });
};

/** All guests may move the channels of the community that was founded last. */
const letArrange = async (): Promise<void> => {
  const { client } = guestAt(0);
  const communityId = owned?.communityId;
  await client.call('communitiesCreateRole', {
    communityId,
    name: 'arranging',
    permissions: usualPermissions | permission.modifyChannel,
    priority: 1,
  });
  const { communityRoles } = await client.call('communitiesGetRoles', { communityId });
  const role = communityRoles?.roles.find(({ name }) => name === 'arranging');
  if (role === undefined) throw new Error('the role is not there');
  for (const { id: memberId } of guests.slice(1))
    await client.call('communitiesEditMember', { communityId, memberId, roleIds: { roleIds: [role.id] } });
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

const target = async (): Promise<Target> => {
  const [guest] = guests;
  if (guest === undefined) return { memberId: undefined, channel: undefined, messageId: undefined };
  const messageId = await sent(guest.client, savedMessages, { message: 'x', entities: [] });
  return { memberId: guest.id, channel: owned, messageId };
};

export type FloodWay = {
  readonly list: ListName;
  /** Requests of one connection that wait for their answers. */
  readonly window: number;
  /** By guests, each over two connections; or without a session, over two from each of so many addresses. */
  readonly by: 'guests' | { readonly addresses: number };
};

const load = async ({ list, window }: Pick<FloodWay, 'list' | 'window'>): Promise<void> => {
  loaded = framesOf(requestLists[list](await target()), window);
};

/** From the introduction's address on. */
const addressAt = (at: number): string => `127.0.0.${(2 + at).toString()}`;

const openersOf = (by: FloodWay['by']): readonly (() => Promise<RawClient>)[] =>
  by === 'guests'
    ? guests.map(
        ({ token }) =>
          () =>
            authorized(introduction, token),
      )
    : Array.from(
        { length: by.addresses },
        (_, at) => () => connected({ ...introduction, localAddress: addressAt(at) }),
      );

const runFlood = async ({ by, window, seconds }: FloodWay & For): Promise<Tally> => {
  const tally = newTally();
  const until = performance.now() + seconds * 1_000;
  const openers = openersOf(by).flatMap((open) => Array.from({ length: connectionsOfGuest }, () => open));
  await Promise.all(openers.map((open) => flood({ open, frames: loaded, window, until, tally })));
  return tally;
};

const tokens = (): readonly string[] => guests.map(({ token }) => token);

const calls = {
  /** Where everything else goes to, and from which address. */
  aim: ({ port, localAddress }: { readonly port: number; readonly localAddress: string }): void => {
    introduction = { port, localAddress, mayClose: true, noSubscribe: true };
  },
  signUp,
  /** On another server, or another start of the same one. */
  comeBack: async (): Promise<void> => {
    for (const guest of guests) {
      guest.client.leave();
      guest.client = await authorized(introduction, guest.token);
    }
  },
  found,
  letArrange,
  invite: (): string => owned?.invite ?? '',
  /** So many sign up and join; those that stay are guests from then on. */
  join: async ({ code, count, stay }: { readonly code: string; readonly count: number; readonly stay: number }) => {
    const places = Array.from({ length: count }, (_, at) => at);
    await inParallel(places, signedUpAtOnce, async (at) => {
      const { client, token, id } = await signedUp({ ...introduction, noSubscribe: false }, `Member ${at.toString()}`);
      await client.call('authUseInvite', { code });
      if (at < stay && id !== undefined) guests.push({ client, token, id });
      client.leave();
    });
  },
  fillHistory,
  writeToEdit,
  load,
  flood: runFlood,
  edit,
  nonReaders: ({ seconds, count }: Crowded): Promise<Tally> => nonReaders({ introduction, count, seconds }, tokens()),
  places: ({ seconds, count }: Crowded): Promise<Tally> => places({ introduction, count, seconds }),
  halfMessages: ({
    bytes,
    ...crowd
  }: Crowded & { readonly bytes: number; readonly signedIn: boolean }): Promise<Tally> =>
    halfMessages({ introduction, ...crowd, bytes }, crowd.signedIn ? tokens() : []),
  bursts: ({ name, ...crowd }: Crowded & { readonly name: BurstName }): Promise<Tally> =>
    bursts({ introduction, ...crowd }, tokens(), name),
  reconnects: (crowd: Crowded): Promise<Tally> => reconnects({ introduction, ...crowd }, tokens()),
  recordBegin: ({ seconds }: For): void => {
    record.begin(seconds * 1_000);
  },
  /** The bytes that were recorded. */
  recordEnd: (): number => {
    record.end();
    for (const { client } of guests) client.leave();
    return record.bytes;
  },
  replay: ({ port, seconds }: For & { readonly port: number }): Promise<void> => record.replay(port, seconds * 1_000),
};

export type AttackerCalls = typeof calls;

serveCalls(calls);
