import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { SendMessageInit } from '../src/gen/messages.js';
import { benchmark, progress, type Bench, type Measured } from './support/benchmark.js';
import { engineDefaults, engineNames, engineVariables } from './support/engines.js';
import { checkAnswer, foundedBy, signedUp, type RawClient } from './support/rawClient.js';
import { startServer } from './support/serverUnderTest.js';
import { percentile, rounded } from './support/statistics.js';

/**
 * How long one reader waits for the last messages of a channel while others send there at an even pace: on one node each
 * read sees all that was acknowledged before it. The limit is the same reader while nobody sends.
 */
const defaults = { rate: 1_000, senders: 16, limit: 50, seconds: 15, bytes: 200, ...engineDefaults };
const aimMillis = 10;
/** Between two reads, so that they meet the sends at any moment. */
const betweenMillis = 7;

const measure = async (bench: Bench<typeof defaults>): Promise<Measured> => {
  const { rate, senders, seconds, bytes, limit, profile } = bench.options;
  const variables = engineVariables(bench);
  const server = await startServer({ dataDir: join(bench.folder, 'data'), profile, variables });
  bench.atEnd(server.stop);
  const { client: reader } = await signedUp({ port: server.port, noSubscribe: true }, 'Reader');
  const { communityId, channelId, invite } = await foundedBy(reader, 'Busy');
  const others: RawClient[] = [];
  for (let number = 0; number < senders; number += 1) {
    const { client } = await signedUp({ port: server.port, noSubscribe: true }, `Sender ${number.toString()}`);
    await client.call('authUseInvite', { code: invite });
    others.push(client);
  }
  const chatRef = { channel: { communityId, channelId } };
  const message = 'x'.repeat(bytes);
  for (let sent = 0; sent < limit; sent += 1) await reader.call('messagesSendMessage', { chatRef, message });

  const read = () => reader.call('messagesGetHistory', { chatRef, limit });
  const alone = await timesOf(read, seconds / 2);
  progress(`nobody sends: p99 ${alone.p99.toString()} ms`);
  const sending = sendingOf(others, rate, { chatRef, message });
  await pause(settleMillis);
  const beside = await timesOf(read, seconds);
  const perSecond = await sending.stop();
  progress(`${perSecond.toString()} sends/s: p99 ${beside.p99.toString()} ms`);
  return {
    figure: beside.p99,
    unit: 'ms (p99 of a read)',
    limit: alone.p99,
    limitIs: 'the same while nobody sends',
    aim: `p99 below ${aimMillis.toString()} ms beside ${rate.toString()} sends/s`,
    met: beside.p99 < aimMillis && perSecond > 0.95 * rate,
    details: { engines: engineNames(bench.options), beside, alone, sendsPerSecond: perSecond },
  };
};

/** Until the server has warmed up with the sends. */
const settleMillis = 2_000;

const timesOf = async (read: () => Promise<unknown>, seconds: number) => {
  const times: number[] = [];
  const end = performance.now() + seconds * 1_000;
  while (performance.now() < end) {
    const begun = performance.now();
    await read();
    times.push(performance.now() - begun);
    await pause(betweenMillis);
  }
  return { reads: times.length, p50: rounded(percentile(times, 50), 2), p99: rounded(percentile(times, 99), 2) };
};

/** Sends in turn, as many as are due, whatever comes of it. */
const sendingOf = (clients: readonly RawClient[], rate: number, request: SendMessageInit) => {
  const begun = performance.now();
  let [asked, answered] = [0, 0];
  const timer = setInterval(() => {
    const due = ((performance.now() - begun) * rate) / 1_000;
    for (; asked < due; asked += 1) {
      clients[asked % clients.length]?.ask('messagesSendMessage', request, (result) => {
        checkAnswer('messagesSendMessage', result);
        answered += 1;
      });
    }
  }, 1);
  return {
    stop: async (): Promise<number> => {
      clearInterval(timer);
      const seconds = (performance.now() - begun) / 1_000;
      const perSecond = Math.round(answered / seconds);
      while (answered < asked) await pause(1);
      return perSecond;
    },
  };
};

await benchmark('reads', defaults, measure);
