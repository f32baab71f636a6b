import { join } from 'node:path';
import { benchmark, progress, type Bench, type Measured } from './support/benchmark.js';
import { flow, type Flowed } from './support/flow.js';
import { startHelper, type Helper } from './support/helper.js';
import { startMembers, type Members } from './support/members.js';
import type { PlainCalls, Way } from './support/plainServer.js';
import { checkOpenFiles } from './support/processes.js';
import { authorized, checkAnswer, foundedBy, signedUp, type Channel, type RawClient } from './support/rawClient.js';
import { startServer, type ServerUnderTest } from './support/serverUnderTest.js';
import { median, rounded } from './support/statistics.js';

/**
 * How many deliveries a second one channel makes: connected members, messages at full speed. The limit is what a plain
 * server makes that sends frames of the same size, made once, to the same number of sockets of the same processes, and
 * coalesces as ours does: each message is queued for each connection when it comes, and a connection's queue goes out in
 * one write of as many frames. It puts a write together once for all whose queues are the same, which is the fastest way
 * of doing so that is known here. What it leaves out is all that makes a chat server: storing, reading the log, who sees
 * what, numbers and counts of each viewer's own.
 *
 * `unqueued` is what is left when there is no coalescing either: one buffer, ready beforehand, goes to everybody. It says
 * what the sockets can take, but no server whose messages come one by one could reach it.
 */
const defaults = { members: 1_000, seconds: 5, rounds: 5, bytes: 200, senders: 8, window: 256, processes: 2 };
const ratioMin = 0.8;

type Setting = {
  readonly bench: Bench<typeof defaults>;
  readonly server: ServerUnderTest;
  readonly plain: Helper<PlainCalls>;
  readonly members: Members;
  readonly senders: readonly RawClient[];
  readonly channel: Channel;
};

type Side = 'osmium' | 'plain' | 'unqueued';
type Round = Readonly<Record<Side, Flowed>>;

const measure = async (bench: Bench<typeof defaults>): Promise<Measured> => {
  const setting = await settingOf(bench);
  const rounds: Round[] = [];
  while (rounds.length < bench.options.rounds) {
    const osmium = await osmiumRound(setting);
    const plain = await plainRound(setting, osmium, 'coalesced');
    const unqueued = await plainRound(setting, osmium, 'ready');
    rounds.push({ osmium, plain, unqueued });
    progress(`${rounds.length.toString()}: ${textOf(osmium)}, limit ${textOf(plain)}, unqueued ${textOf(unqueued)}`);
  }
  return resultOf(rounds, setting);
};

const settingOf = async (bench: Bench<typeof defaults>): Promise<Setting> => {
  const { members: count, processes, senders: senderCount, profile } = bench.options;
  checkOpenFiles(count + 200);
  const server = await startServer({ dataDir: join(bench.folder, 'data'), profile });
  bench.atEnd(server.stop);
  const plain = await startHelper<PlainCalls>({ file: new URL('./support/plainServer.js', import.meta.url), profile });
  bench.atEnd(plain.stop);
  const members = await startMembers(count, processes);
  bench.atEnd(members.stop);
  progress(`${count.toString()} members sign up and join`);
  const { port } = server;
  const owner = await signedUp({ port, noSubscribe: true }, 'Owner');
  bench.atEnd(() => {
    owner.client.socket.close();
    return Promise.resolve();
  });
  const channel = await foundedBy(owner.client, 'Everybody');
  await members.signUp(port);
  await members.join(channel.invite);
  await members.connectPlain(await plain.call('port', undefined));
  // The senders listen to nothing, so that exactly the members are delivered to.
  const senders = await Promise.all(
    Array.from({ length: senderCount }, () => authorized({ port, noSubscribe: true }, owner.token)),
  );
  // Before the server ends, so that they do not hear of it.
  bench.atEnd(() => Promise.resolve(senders.map(({ socket }) => socket.close())));
  return { bench, server, plain, members, senders, channel };
};

let nonce = 0n;

const osmiumRound = ({ bench, server, members, senders, channel }: Setting): Promise<Flowed> => {
  const { bytes, window, seconds } = bench.options;
  const chatRef = { channel: { communityId: channel.communityId, channelId: channel.channelId } };
  const message = 'x'.repeat(bytes);
  let next = 0;
  const send = (messages: number): void => {
    for (let sent = 0; sent < messages; sent += 1) {
      nonce += 1n;
      next = (next + 1) % senders.length;
      senders[next]?.ask('messagesSendMessage', { chatRef, message, clientId: nonce }, (result) => {
        checkAnswer('messagesSendMessage', result);
      });
    }
  };
  return flow({ members, side: 'osmium', payloadBytesMin: bytes, window, seconds, serverPid: server.pid, send });
};

const plainRound = async (
  { bench, plain, members }: Setting,
  { payloadBytes, framesPerWrite }: Flowed,
  way: Way,
): Promise<Flowed> => {
  const { bytes, window, seconds } = bench.options;
  const perWrite = Math.max(1, Math.min(Math.round(framesPerWrite), Math.floor(window / 2)));
  await plain.call('prepare', { payloadBytes: Math.round(payloadBytes), perWrite, way });
  const send = (messages: number): void => {
    void plain.call('allow', { messages });
  };
  return flow({ members, side: 'plain', payloadBytesMin: bytes, window, seconds, serverPid: plain.pid, send });
};

const resultOf = (rounds: readonly Round[], { members, bench }: Setting): Measured => {
  const ratios = rounds.map(({ osmium, plain }) => osmium.deliveriesPerSecond / plain.deliveriesPerSecond);
  const middle = (of: (flowed: Flowed) => number, side: Side): number => median(rounds.map((round) => of(round[side])));
  const cpu = (side: Side): number =>
    rounded(
      middle(({ cpuMicrosPerDelivery = Number.NaN }) => cpuMicrosPerDelivery, side),
      2,
    );
  return {
    figure: rounded(middle(({ deliveriesPerSecond }) => deliveriesPerSecond, 'osmium')),
    unit: 'deliveries/s',
    limit: rounded(middle(({ deliveriesPerSecond }) => deliveriesPerSecond, 'plain')),
    limitIs: 'frames made once, queued for the same sockets and written as many per write',
    aim: `ratio at least ${ratioMin.toString()}`,
    met: median(ratios) >= ratioMin,
    details: {
      members: members.count,
      messageBytes: bench.options.bytes,
      framesPerWrite: rounded(
        middle(({ framesPerWrite }) => framesPerWrite, 'osmium'),
        1,
      ),
      payloadBytes: rounded(middle(({ payloadBytes }) => payloadBytes, 'osmium')),
      ratios: ratios.map((ratio) => rounded(ratio, 2)),
      cpuMicrosPerDelivery: cpu('osmium'),
      limitCpuMicrosPerDelivery: cpu('plain'),
      unqueuedPerSecond: rounded(middle(({ deliveriesPerSecond }) => deliveriesPerSecond, 'unqueued')),
      unqueuedCpuMicrosPerDelivery: cpu('unqueued'),
    },
  };
};

const textOf = ({ deliveriesPerSecond, framesPerWrite, cpuMicrosPerDelivery = Number.NaN }: Flowed): string =>
  `${rounded(deliveriesPerSecond).toString()}/s (${framesPerWrite.toFixed(1)} per write, ${cpuMicrosPerDelivery.toFixed(2)} µs CPU each)`;

await benchmark('fanout', defaults, measure);
