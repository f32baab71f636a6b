import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { MessageId } from '../src/kernel/ids.js';
import { benchmark, progress, type Bench, type Measured } from './support/benchmark.js';
import type { BareAppendCalls } from './support/bareAppends.js';
import { startHelper } from './support/helper.js';
import { appendReactions } from './support/manyReactions.js';
import { checkOpenFiles } from './support/processes.js';
import { authorized, foundedBy, signedUp, type Channel, type RawClient } from './support/rawClient.js';
import type { ReactorCalls } from './support/reactorProcess.js';
import { startServer } from './support/serverUnderTest.js';
import { sharedMillis } from './support/sharedClock.js';
import { median, rounded, sum } from './support/statistics.js';

/**
 * How many reactions to one message a second are stored and told, when connected members all react at once: counted until
 * the last of them has been told of all. The limit is durable appends of as many appenders to a bare LMDB file. Updates
 * must be coalesced, or each reaction would be told to each member. Then how long a reader waits for a message with very
 * many reactions, and for one with few.
 */
const defaults = { members: 1_000, emoji: 10, many: 1_000_000, few: 10, reads: 200, processes: 2 };
/** Of an event of a reaction, stored. */
const bytes = 450;
const updatesPerReactionMax = 0.2;
const readRatioMax = 1.5;
const firstEmoji = 0x1f600;

const measure = async (bench: Bench<typeof defaults>): Promise<Measured> => {
  const { members, emoji, many, few, profile } = bench.options;
  checkOpenFiles(members + 200);
  const dataDir = join(bench.folder, 'data');
  const server = await startServer({ dataDir, profile });
  bench.atEnd(server.stop);
  const owner = await signedUp({ port: server.port, noSubscribe: true }, 'Owner');
  const channel = await foundedBy(owner.client, 'Everybody');
  const stormed = await storm(bench, server.port, { channel, messageId: await said(owner.client, channel) });
  const liked = await said(owner.client, channel);
  const loved = await said(owner.client, channel);
  owner.client.socket.close();
  await server.stop();
  progress(`${many.toString()} reactions are put into the log`);
  await appendReactions(dataDir, channel, liked, few);
  await appendReactions(dataDir, channel, loved, many);
  const read = await reading(bench, dataDir, { channel, token: owner.token, liked, loved });
  const limit = await bareAppends(bench);
  const updatesPerReaction = stormed.updatesMax / (members * emoji);
  const readRatio = read.manyMillis / read.fewMillis;
  return {
    figure: rounded((members * emoji * 1_000) / stormed.toldMillis),
    unit: 'reactions/s, told to everybody',
    limit: rounded(limit),
    limitIs: 'durable appends to a bare LMDB file',
    aim: `at most ${updatesPerReactionMax.toString()} updates per reaction to each, reads of many at most ${readRatioMax.toString()} times those of few`,
    met: updatesPerReaction <= updatesPerReactionMax && readRatio <= readRatioMax,
    details: {
      members,
      reactions: members * emoji,
      ...stormed,
      many,
      few,
      ...read,
      readRatio: rounded(readRatio, 2),
    },
  };
};

const refOf = ({ communityId, channelId }: Channel) => ({ channel: { communityId, channelId } });

const said = async (client: RawClient, channel: Channel): Promise<MessageId> => {
  const { sentMessage } = await client.call('messagesSendMessage', { chatRef: refOf(channel), message: 'Vote' });
  if (sentMessage === undefined) throw new Error('the message was not sent');
  return sentMessage.messageId;
};

type Place = { readonly channel: Channel; readonly messageId: MessageId };

const storm = async ({ options, atEnd }: Bench<typeof defaults>, port: number, { channel, messageId }: Place) => {
  const { members, processes } = options;
  const emoji = Array.from({ length: options.emoji }, (_, at) => String.fromCodePoint(firstEmoji + at));
  const file = new URL('./support/reactorProcess.js', import.meta.url);
  const helpers = await Promise.all(Array.from({ length: processes }, () => startHelper<ReactorCalls>({ file })));
  for (const { stop } of helpers) atEnd(stop);
  const share = (at: number): number =>
    Math.floor((members * (at + 1)) / processes) - Math.floor((members * at) / processes);
  progress(`${members.toString()} members sign up and join`);
  await Promise.all(helpers.map((one, at) => one.call('join', { port, count: share(at), invite: channel.invite })));
  const started = sharedMillis();
  const told = await Promise.all(helpers.map((one) => one.call('react', { channel, messageId, emoji, members })));
  const stormed = {
    answeredMillis: rounded(Math.max(...told.map(({ answeredAtMillis }) => answeredAtMillis)) - started),
    toldMillis: rounded(Math.max(...told.map(({ toldAtMillis }) => toldAtMillis)) - started),
    updatesMin: Math.min(...told.map(({ updatesMin }) => updatesMin)),
    updatesMax: Math.max(...told.map(({ updatesMax }) => updatesMax)),
  };
  progress(JSON.stringify(stormed));
  for (const { stop } of helpers) await stop();
  return stormed;
};

const lookMillis = 250;

type Messages = {
  readonly channel: Channel;
  readonly token: string;
  readonly liked: MessageId;
  readonly loved: MessageId;
};

/** Of each message alone, taking turns. */
const reading = async (
  { options, atEnd }: Bench<typeof defaults>,
  dataDir: string,
  { channel, token, liked, loved }: Messages,
) => {
  const server = await startServer({ dataDir });
  atEnd(server.stop);
  while ((await server.metric('osmium_lag_positions')) > 0) await pause(lookMillis);
  const client = await authorized({ port: server.port, noSubscribe: true }, token);
  const read = async (around: MessageId, reactions: number): Promise<number> => {
    const started = performance.now();
    const { messages } = await client.call('messagesGetHistory', { chatRef: refOf(channel), around, limit: 1 });
    const taken = performance.now() - started;
    const counts = messages?.reactions.flatMap(({ reactionFields }) => reactionFields.map(({ count }) => count)) ?? [];
    if (sum(counts) !== reactions) throw new Error(`${sum(counts).toString()} reactions of ${reactions.toString()}`);
    return taken;
  };
  const times = { many: [] as number[], few: [] as number[] };
  while (times.many.length < options.reads) {
    times.few.push(await read(liked, options.few));
    times.many.push(await read(loved, options.many));
  }
  client.socket.close();
  await server.stop();
  return { manyMillis: rounded(median(times.many), 3), fewMillis: rounded(median(times.few), 3) };
};

const bareSeconds = 3;

const bareAppends = async ({ folder, options, atEnd }: Bench<typeof defaults>): Promise<number> => {
  const file = new URL('./support/bareAppends.js', import.meta.url);
  const bare = await startHelper<BareAppendCalls>({ file });
  atEnd(bare.stop);
  const what = { folder: join(folder, 'bare'), appenders: options.members, bytes, seconds: bareSeconds };
  return bare.call('append', what);
};

await benchmark('reactions', defaults, measure);
