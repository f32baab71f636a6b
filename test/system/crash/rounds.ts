import { rm } from 'node:fs/promises';
import { connect, type Client } from '../../../src/client/client.js';
import { nodeSocket } from '../../../src/client/nodeSocket.js';
import { foldersIn } from '../../../src/engines.js';
import type { ChannelRef, ChatRefInit } from '../../../src/gen/refs.js';
import type { MessageId, UserId } from '../../../src/kernel/ids.js';
import type { Cleanup } from '../../support/serverProcess.js';
import { resume } from '../seat.js';
import { caughtUp, documentsIn, messagesLogged } from '../stored.js';
import { host, type Host } from './host.js';
import { hearing, ledger, Violation, type Caller, type Hearing, type Ledger } from './ledger.js';
import { remote, type Remote, type Send } from './remote.js';

export type CrashOptions = {
  readonly rounds: number;
  /** In each round, by both writers together. */
  readonly messages: number;
  readonly say: (line: string) => void;
};

/** Of each writer. */
const inFlight = 16;
/** Every so many messages goes to the other writer alone. */
const directEvery = 10;
const secondKillChance = 0.3;
const secondKillMillisMax = 700;
const killDelayMillisMax = 5;

type Person = Caller & {
  readonly user: UserId;
  readonly token: string;
  readonly leave: () => Promise<void>;
};
type Writer = Person & { readonly remote: Remote; readonly hearing: Hearing };

type Play = {
  readonly host: Host;
  readonly writers: readonly [Writer, Writer];
  /** Sends nothing, and marks what they have read. */
  readonly reader: Person;
  readonly place: ChannelRef;
  readonly channel: Ledger;
  readonly direct: Ledger;
};

/**
 * Two client processes write as fast as they are answered, and the server is killed in the middle of it; round after
 * round. Throws `Violation` on the first thing that is not as it must be. The data folder is left for the caller.
 */
export const crashRounds = async (
  t: Cleanup,
  folder: (dataDir: string) => void,
  options: CrashOptions,
): Promise<void> => {
  const server = await host(t);
  folder(server.dataDir);
  await server.start();
  const play = await begun(t, server);
  for (let number = 1; number <= options.rounds; number += 1) {
    options.say(`round ${number.toString()}: ${await round(play, number, options.messages)}`);
  }
  await ended(play);
};

const begun = async (t: Cleanup, server: Host): Promise<Play> => {
  const [ada, ben] = [await writer(t, server.url, 'Ada'), await writer(t, server.url, 'Ben')];
  const cleo: Client = await connect({ url: server.url, openSocket: nodeSocket });
  t.after(cleo.close);
  const { user, token } = await cleo.signUp({ name: 'Cleo' });
  await ada.call('communities.createCommunity', { name: 'Town' });
  const [community] = (await ada.call('communities.getCommunities', {})).communities;
  if (community === undefined) throw new Violation('a community that was just made is not there');
  const [channel] = (await ada.call('communities.getChannels', { communityId: community.id })).channels;
  if (user === undefined || channel === undefined) throw new Violation('a new user or channel is not there');
  const place = { communityId: community.id, channelId: channel.id };
  const { code } = await ada.call('chats.createChatInvite', { chatRef: { channel: place } });
  for (const caller of [ben, cleo]) await caller.call('auth.useInvite', { code });
  const reader = { call: cleo.call, user: user.id, token, leave: cleo.close };
  return { host: server, writers: [ada, ben], reader, place, channel: ledger(), direct: ledger() };
};

const writer = async (t: Cleanup, url: string, name: string): Promise<Writer> => {
  const made = await remote(t, url);
  const { user, token } = await made.signUp({ name });
  if (user === undefined) throw new Violation('a sign-up was answered without a user');
  return { call: made.call, user: user.id, token, leave: made.end, remote: made, hearing: hearing(name) };
};

const round = async (play: Play, number: number, messages: number): Promise<string> => {
  const { host: server, writers } = play;
  const [ada, ben] = writers;
  const connections = writers.map((one) => one.remote.connections());
  const before = writers.map((one) => one.remote.acknowledged.length);
  const plans = [planOf(play, number, ada, messages / 2), planOf(play, number, ben, messages / 2)] as const;
  const bursts = Promise.all([ada.remote.burst(plans[0], inFlight), ben.remote.burst(plans[1], inFlight)]);
  // Should it fail while something else is waited for: it is looked at below.
  bursts.catch(() => undefined);

  const answered = (): number => writers.reduce((sum, one, index) => sum + newOf(one, before[index]).length, 0);
  const killAfter = 1 + Math.floor(Math.random() * messages * 0.9);
  await Promise.race(writers.map((one) => one.remote.until(() => answered() >= killAfter)));
  await pause(Math.random() * killDelayMillisMax);
  const answeredAtKill = answered();
  await server.kill();
  const killedAt = performance.now();
  const kills = await restarted(server);
  await bursts;
  const backMillis = Math.round(performance.now() - killedAt);

  await checkStored(play, plans, before);
  writers.forEach((one, index) => {
    if (one.remote.connections() <= (connections[index] ?? 0)) throw new Violation('a client did not come back');
  });
  for (const one of [...writers, play.reader]) (await resume(server.url, one.token)).raw.socket.close();
  checkHeard(play);
  const unread = await checkUnread(play);
  await change(play);
  await checkUnread(play);
  const errors = server.errors();
  if (errors.length > 0) throw new Violation(`the server logged an error: ${String(errors[0])}`);
  return (
    `killed ${kills} after ${answeredAtKill.toString()} of ${messages.toString()} answers; ` +
    `all answered ${backMillis.toString()} ms later; all there once, in order; unread ${unread.join(', ')}`
  );
};

const planOf = ({ writers, place }: Play, number: number, { user }: Writer, count: number): readonly Send[] => {
  const [ada, ben] = writers;
  const other = user === ada.user ? ben : ada;
  const channel: ChatRefInit = { channel: place };
  const direct: ChatRefInit = { user: { userId: other.user } };
  return Array.from({ length: count }, (_, index) => ({
    chatRef: index % directEvery === 0 ? direct : channel,
    message: `${number.toString()}.${user.toString()}.${index.toString()}`,
  }));
};

/** It may be killed again while it starts, or while its clients come back. */
const restarted = async (server: Host): Promise<string> => {
  if (Math.random() >= secondKillChance) {
    await server.start();
    return 'once';
  }
  server.launch();
  await pause(Math.random() * secondKillMillisMax);
  await server.kill();
  await server.start();
  return 'twice';
};

const newOf = ({ remote: { acknowledged } }: Writer, from = 0) => acknowledged.slice(from);

const checkStored = async (
  play: Play,
  plans: readonly [readonly Send[], readonly Send[]],
  before: readonly number[],
): Promise<void> => {
  const [ada, ben] = play.writers;
  const acknowledged = play.writers.flatMap((one, index) => newOf(one, before[index]));
  for (const isDirect of [false, true]) {
    const texts = (plan: readonly Send[]): readonly string[] =>
      plan.filter(({ chatRef }) => (chatRef.user !== undefined) === isDirect).map(({ message }) => message);
    const [ofAda, ofBen] = [texts(plans[0]), texts(plans[1])];
    const wanted = new Set([...ofAda, ...ofBen]);
    const book = isDirect ? play.direct : play.channel;
    await book.check(ada, isDirect ? { user: { userId: ben.user } } : { channel: play.place }, {
      texts: new Map([
        [ada.user, ofAda],
        [ben.user, ofBen],
      ]),
      acknowledged: acknowledged.filter(({ message }) => wanted.has(message)),
    });
  }
};

const checkHeard = ({ writers, channel, direct }: Play): void => {
  const all = [...channel.entries(), ...direct.entries()].map(({ id }) => id);
  const inOrder = all.toSorted((one, other) => (one < other ? -1 : 1));
  for (const one of writers) one.hearing.check(one.remote.heard, inOrder);
};

/** Whatever a client is told of what it has not read says the same. */
const checkUnread = async ({ writers, reader, place, channel, direct }: Play): Promise<readonly number[]> => {
  const [ada, ben] = writers;
  const counts: number[] = [];
  for (const person of [...writers, reader]) {
    const wanted = channel.unread(person.user);
    const { conversations } = await person.call('communities.getChannels', { communityId: place.communityId });
    const { communityUserInfo } = await person.call('communities.getCommunities', {});
    const { chat } = await person.call('chats.getChat', { chatRef: { channel: place } });
    const told = [conversations[0]?.unreadCount, communityUserInfo[0]?.unreadCount, chat?.unreadCount];
    for (const count of told) if (count !== wanted) throw new Violation(unreadText(count, wanted));
    counts.push(wanted);
  }
  for (const [person, other] of [
    [ada, ben],
    [ben, ada],
  ] as const) {
    const wanted = direct.unread(person.user);
    const { chats } = await person.call('chats.getChats', {});
    const count = chats.find(({ chatRef }) => chatRef?.user?.userId === other.user)?.unreadCount;
    if (count !== wanted) throw new Violation(unreadText(count, wanted));
  }
  return counts;
};

const unreadText = (told: number | undefined, wanted: number): string =>
  `${String(told)} messages are told to be unread, there are ${wanted.toString()}`;

/** A message of this round is deleted, and the reader and one writer have read some of them. */
const change = async ({ writers: [ada, ben], reader, place, channel, direct }: Play): Promise<void> => {
  const chatRef: ChatRefInit = { channel: place };
  const own = channel.entries().filter(({ author }) => author === ada.user);
  const gone = anyOf(own).id;
  await ada.call('messages.deleteMessage', { chatRef, messageIds: [gone] });
  channel.deleted(gone);
  await mark(reader, chatRef, channel, anyOf(channel.entries()).id);
  await mark(ben, { user: { userId: ada.user } }, direct, anyOf(direct.entries()).id);
};

const mark = async (
  { call, user }: Person,
  chatRef: ChatRefInit,
  book: Ledger,
  messageId: MessageId,
): Promise<void> => {
  await call('chats.markChatRead', { chatRef, messageId });
  book.marked(user, messageId);
};

const anyOf = <T>(things: readonly T[]): T => {
  const thing = things[Math.floor(Math.random() * things.length)];
  if (thing === undefined) throw new Error('there is none');
  return thing;
};

/** The log is in the order of the ids, and the documents are what a new fold of it gives. */
const ended = async ({ host: server, writers, reader, channel, direct }: Play): Promise<void> => {
  // Who comes back from another device than before is an event.
  for (const { leave } of [...writers, reader]) await leave();
  const port = Number(new URL(server.url).port);
  await caughtUp(port);
  await stopped(server);
  const ids = await messagesLogged(server.dataDir);
  const count = channel.entries().length + direct.entries().length;
  if (ids.length !== count) throw new Violation(`the log has ${ids.length.toString()} messages of ${count.toString()}`);
  if (ids.some((id, index) => id <= (ids[index - 1] ?? 0n))) throw new Violation('ids are not in the order of the log');

  const before = await documentsIn(server.dataDir);
  await rm(foldersIn(server.dataDir).documents, { recursive: true });
  await server.start();
  await caughtUp(port);
  await stopped(server);
  const { digests, checkpoints } = await documentsIn(server.dataDir);
  if (checkpoints.join() !== before.checkpoints.join()) throw new Violation('the documents do not hold the whole log');
  const wrong = Object.keys(digests).filter((name) => digests[name] !== before.digests[name]);
  if (wrong.length > 0) throw new Violation(`${wrong.join()}: the documents are not what is folded from the log`);
};

const stopped = async (server: Host): Promise<void> => {
  const code = await server.stop();
  if (code !== 0) throw new Violation(`the server ended with ${String(code)}`);
};

const pause = (millis: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, millis);
  });
