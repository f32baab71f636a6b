import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { benchmark, progress, type Bench, type Measured } from './support/benchmark.js';
import { engineDefaults, engineNames, engineVariables, withEngines } from './support/engines.js';
import { startHelper, type Helper } from './support/helper.js';
import type { Side } from './support/memberProcess.js';
import { startMembers, type Members } from './support/members.js';
import type { PlainCalls } from './support/plainServer.js';
import { checkOpenFiles } from './support/processes.js';
import { checkAnswer, foundedBy, signedUp } from './support/rawClient.js';
import { openRawSocket } from './support/rawSocket.js';
import { startServer, type ServerUnderTest } from './support/serverUnderTest.js';
import { sharedMillis } from './support/sharedClock.js';
import { percentile, rounded } from './support/statistics.js';

/**
 * How long a message takes from its sender until the last of all receivers has it, at an even pace. The limit is a
 * plain relay: it stores the message in a bare LMDB file and then writes a prepared frame to each of as many sockets of
 * the same processes.
 */
const defaults = {
  members: 1_000,
  rate: 20,
  few: 20,
  fewrate: 100,
  seconds: 20,
  bytes: 200,
  processes: 2,
  ...engineDefaults,
};
const manyMillisMax = 100;
const fewMillisMax = 15;

type Scene = { readonly receivers: number; readonly rate: number; readonly aimMillis: number };

const measure = async (asked: Bench<typeof defaults>): Promise<Measured> => {
  const bench = await withEngines(asked);
  const { members, rate, few, fewrate, profile } = bench.options;
  checkOpenFiles(members + 200);
  const variables = engineVariables(bench);
  const server = await startServer({ dataDir: join(bench.folder, 'data'), profile, variables });
  bench.atEnd(server.stop);
  const scenes = [
    await play(bench, server, { receivers: few, rate: fewrate, aimMillis: fewMillisMax }),
    await play(bench, server, { receivers: members, rate, aimMillis: manyMillisMax }),
  ];
  const last = scenes.at(-1);
  if (last === undefined) throw new Error('there is nothing to tell');
  return {
    figure: last.p99,
    unit: 'ms (p99, the last receiver)',
    limit: last.limitP99,
    limitIs: 'stored in a bare LMDB file, then written to the same sockets',
    aim: scenes
      .map(({ receivers, aimMillis }) => `p99 below ${aimMillis.toString()} ms with ${receivers.toString()}`)
      .join(', '),
    met: scenes.every(({ p99, aimMillis }) => p99 < aimMillis),
    details: { engines: engineNames(bench.options), scenes },
  };
};

const play = async (bench: Bench<typeof defaults>, server: ServerUnderTest, scene: Scene) => {
  const plain = await startHelper<PlainCalls>({ file: new URL('./support/plainServer.js', import.meta.url) });
  bench.atEnd(plain.stop);
  const members = await startMembers(scene.receivers, Math.min(bench.options.processes, scene.receivers));
  bench.atEnd(members.stop);
  progress(`${scene.receivers.toString()} receivers, ${scene.rate.toString()} messages/s`);
  const osmium = await osmiumTimes(bench, scene, { server, members });
  const limit = await plainTimes(bench, scene, { plain, members });
  await members.stop();
  await plain.stop();
  progress(
    `p50 ${osmium.p50.toString()} ms, p99 ${osmium.p99.toString()} ms; limit ${limit.p50.toString()}, ${limit.p99.toString()}`,
  );
  return { ...scene, ...osmium, limitP50: limit.p50, limitP99: limit.p99, ratio: rounded(osmium.p99 / limit.p99, 2) };
};

const osmiumTimes = async (
  bench: Bench<typeof defaults>,
  scene: Scene,
  { server: { port }, members }: { readonly server: ServerUnderTest; readonly members: Members },
) => {
  const { client } = await signedUp({ port, noSubscribe: true }, 'Sender');
  const { communityId, channelId, invite } = await foundedBy(client, 'Listeners');
  await members.signUp(port);
  await members.join(invite);
  const chatRef = { channel: { communityId, channelId } };
  const message = 'x'.repeat(bench.options.bytes);
  const send = (nonce: number): void => {
    const request = { chatRef, message, clientId: BigInt(nonce + 1) };
    client.ask('messagesSendMessage', request, (result) => {
      checkAnswer('messagesSendMessage', result);
    });
  };
  const times = await timesOf(bench, scene, { members, side: 'osmium', send });
  await members.close('osmium');
  client.socket.close();
  return times;
};

const plainTimes = async (
  bench: Bench<typeof defaults>,
  scene: Scene,
  { plain, members }: { readonly plain: Helper<PlainCalls>; readonly members: Members },
) => {
  const { bytes } = bench.options;
  const port = await plain.call('port', undefined);
  await plain.call('store', { folder: join(bench.folder, `relay-${scene.receivers.toString()}`) });
  await plain.call('prepare', { payloadBytes: bytes + frameExtraBytes, perWrite: 1, way: 'ready' });
  await members.connectPlain(port);
  const socket = await openRawSocket(port);
  const payload = Buffer.alloc(bytes + frameExtraBytes, 0x78);
  const send = (): void => {
    socket.send(payload);
  };
  const times = await timesOf(bench, scene, { members, side: 'plain', send });
  socket.close();
  await members.close('plain');
  return times;
};

/** About what stands around a text in an update. */
const frameExtraBytes = 80;

type Sending = { readonly members: Members; readonly side: Side; readonly send: (nonce: number) => void };

const timesOf = async ({ options }: Bench<typeof defaults>, { rate }: Scene, { members, side, send }: Sending) => {
  const measured = Math.max(1, Math.round(options.seconds * rate));
  const warmUp = Math.min(measured, rate);
  const messages = warmUp + measured;
  await pause(settleMillis);
  await members.record(side, messages, options.bytes);
  const sentAt = await paced(messages, 1_000 / rate, send);
  await pause(settleMillis);
  const arrivals = await members.recorded(messages);
  const each: number[] = [];
  const last: number[] = [];
  for (let message = warmUp; message < messages; message += 1) {
    const taken = arrivals.map((times) => (times[message] ?? 0) - (sentAt[message] ?? 0));
    if (taken.some((millis) => millis < 0)) throw new Error('a message did not come to everybody');
    for (const millis of taken) each.push(millis);
    last.push(Math.max(...taken));
  }
  return {
    messages: measured,
    p50: rounded(percentile(last, 50), 2),
    p99: rounded(percentile(last, 99), 2),
    eachP50: rounded(percentile(each, 50), 2),
    eachP99: rounded(percentile(each, 99), 2),
  };
};

/** Until what was under way before, and after, has arrived. */
const settleMillis = 1_000;

/** Sends at an even pace, whatever comes of it. Gives the times on the clock that all processes share. */
const paced = async (messages: number, everyMillis: number, send: (at: number) => void): Promise<readonly number[]> => {
  const started = performance.now();
  const sentAt: number[] = [];
  while (sentAt.length < messages) {
    const due = started + sentAt.length * everyMillis;
    await pause(Math.max(0, due - performance.now()));
    sentAt.push(sharedMillis());
    send(sentAt.length - 1);
  }
  return sentAt;
};

await benchmark('latency', defaults, measure);
