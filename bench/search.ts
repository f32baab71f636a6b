import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { messageStream } from '../src/domain/messages/events.js';
import { systemIds } from '../src/adapters/system/ids.js';
import type { RPCResult } from '../src/gen/core.js';
import { foldersIn } from '../src/engines.js';
import { channelChat, type ChatKey } from '../src/kernel/chat.js';
import { periodOf } from '../src/kernel/codec.js';
import { snowflakes, type MessageId, type Millis, type UserId } from '../src/kernel/ids.js';
import { KeysMissing } from '../src/kernel/ports/sealer.js';
import { benchmark, progress, type Bench, type Measured } from './support/benchmark.js';
import { openEngines, type Engines } from './support/dataSet.js';
import { seededRandom } from './support/random.js';
import { authorized, foundedBy, signedUp, type RawClient } from './support/rawClient.js';
import { startServer, type ServerUnderTest } from './support/serverUnderTest.js';
import { percentile, rounded, sum } from './support/statistics.js';

/**
 * How long a search takes among many messages of one channel. The limit is the last page of history there. A million
 * messages are asked for by `--messages 1000000`.
 */
const defaults = { messages: 100_000, searches: 100 };
const aimMillis = { word: 50, hard: 200 };

/** Each in its share of the messages, besides words of every day. */
const wordsOf = (at: number, messages: number): readonly string[] => [
  'everywhere',
  at % 2 === 0 ? 'evenly' : 'oddly',
  ...(at % 10 < 3 ? ['upgrade'] : []),
  ...(at % Math.ceil(messages / 10) === 0 ? ['seldom'] : []),
];
const vocabulary = 5_000;
const wordsPerMessage = 8;

/** A query, and how long it may take. */
const queries = {
  'a word of 10 messages': { query: 'seldom', aim: aimMillis.word },
  'a word of all messages': { query: 'everywhere', aim: aimMillis.word },
  'two words that never meet': { query: 'evenly oddly', aim: aimMillis.hard },
  'a beginning of a third of them, without a hit': { query: 'upgz', aim: aimMillis.hard },
} as const;

const measure = async (bench: Bench<typeof defaults>): Promise<Measured> => {
  const { messages, searches, profile } = bench.options;
  const dataDir = join(bench.folder, 'data');
  const before = await startServer({ dataDir });
  const {
    client,
    token,
    id: author = 0n as UserId,
  } = await signedUp({ port: before.port, noSubscribe: true }, 'Reader');
  const place = await foundedBy(client, 'Library');
  client.leave();
  await before.stop();
  const chat = channelChat(place.communityId, place.channelId);
  await filled(dataDir, { messages, chat, author });
  const logBytes = bytesBelow(foldersIn(dataDir).log);
  const server = await startServer({ dataDir, profile });
  bench.atEnd(server.stop);
  const reader = await authorized({ port: server.port, noSubscribe: true }, token);
  const chatRef = { channel: { communityId: place.communityId, channelId: place.channelId } };
  const indexed = await untilIndexed(server);
  const times: Record<string, { readonly p50: number; readonly p99: number; readonly error?: string }> = {};
  for (const [name, { query }] of Object.entries(queries)) {
    times[name] = await timesOf(reader, searches, () => ({ name: 'messagesSearch', request: { chatRef, query } }));
    progress(`${name}: ${JSON.stringify(times[name])}`);
  }
  const history = await timesOf(reader, searches, () => ({
    name: 'messagesGetHistory',
    request: { chatRef, limit: 25 },
  }));
  reader.leave();
  const missed = Object.entries(queries).filter(([name, { aim }]) => (times[name]?.p99 ?? Infinity) > aim);
  return {
    figure: times['a word of 10 messages']?.p99 ?? Number.NaN,
    unit: 'ms (p99 of a search for a word of 10 messages)',
    limit: history.p99,
    limitIs: 'a page of history of as many messages',
    aim: `p99 below ${aimMillis.word.toString()} ms for one word, ${aimMillis.hard.toString()} ms for the hard ones`,
    met: missed.length === 0,
    details: {
      messages,
      times,
      indexedPerSecond: rounded(messages / indexed),
      indexBytesPerMessage: rounded(bytesBelow(foldersIn(dataDir).search) / messages),
      storedBytesPerMessage: rounded((logBytes + bytesBelow(foldersIn(dataDir).documents)) / messages),
    },
  };
};

type Filling = { readonly messages: number; readonly chat: ChatKey; readonly author: UserId };

/** Puts the messages into the log of a stopped server, as if they had been sent. */
const filled = async (dataDir: string, { messages, chat, author }: Filling): Promise<void> => {
  const time = { now: Date.now() as Millis };
  const engines = await openEngines(dataDir, () => time.now);
  const [random, nextId] = [seededRandom(1), snowflakes(1, () => time.now)];
  const ids = systemIds(nextId);
  for (let at = 0; at < messages; at += batchMessages) {
    const appends: Promise<unknown>[] = [];
    for (let one = at; one < Math.min(at + batchMessages, messages); one += 1) {
      const some = Array.from({ length: wordsPerMessage }, () => `word${zipf(random()).toString()}`);
      const message = nextId() as MessageId;
      const text = [...wordsOf(one, messages), ...some].join(' ');
      const data = { message, chat, author, mentions: [], text, entities: [] };
      appends.push(appended(engines, data, ids.eventId(message.toString(), 0), periodOf(time.now)));
    }
    await Promise.all(appends);
  }
  await engines.close();
};
const batchMessages = 2_000;

/** Few words come often, most seldom. */
const zipf = (random: number): number => Math.floor(vocabulary ** random);

const appended = async (
  { codec, sealer, log }: Engines,
  data: { readonly message: MessageId; readonly chat: ChatKey },
  id: string,
  period: string,
): Promise<void> => {
  const stream = messageStream(data.message);
  const metadata = { $correlationId: id, $causationId: id, command: 'SendMessage' };
  const write = () => codec.write({ type: 'MessageSent', data }, { id, stream, metadata, period });
  let record = write();
  while (record instanceof KeysMissing) {
    await sealer.makeKeys(record.names);
    record = write();
  }
  await log.append(stream, [record], 'noStream');
};

/** In seconds since the server was ready. */
const untilIndexed = async (server: ServerUnderTest): Promise<number> => {
  const started = performance.now();
  // The gauge comes with the index, which is opened a moment after the server.
  await pause(1_000);
  while ((await server.metric('osmium_lag_positions')) > 0) await pause(200);
  return (performance.now() - started) / 1_000;
};

type Asked = { readonly name: 'messagesSearch' | 'messagesGetHistory'; readonly request: object };

const timesOf = async (client: RawClient, times: number, asked: () => Asked) => {
  const millis: number[] = [];
  let error: string | undefined;
  for (let at = 0; at < times; at += 1) {
    const { name, request } = asked();
    const started = performance.now();
    const result = await new Promise<RPCResult>((resolve) => {
      client.ask(name, request, resolve);
    });
    error ??= result.error?.errorMessage;
    millis.push(performance.now() - started);
  }
  const spread = { p50: rounded(percentile(millis, 50), 1), p99: rounded(percentile(millis, 99), 1) };
  return error === undefined ? spread : { ...spread, error };
};

const bytesBelow = (folder: string): number =>
  sum(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((path) => statSync(join(folder, path)))
      .filter((found) => found.isFile())
      // A file of LMDB is longer than what is in it.
      .map(({ blocks }) => blocks * 512),
  );

await benchmark('search', defaults, measure);
