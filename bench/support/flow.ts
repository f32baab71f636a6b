import { setTimeout as pause } from 'node:timers/promises';
import type { Received, Side } from './memberProcess.js';
import type { Members } from './members.js';
import { cpuSeconds, writeCalls } from './processes.js';
import { sum } from './statistics.js';

export type FlowNeeds = {
  readonly members: Members;
  readonly side: Side;
  /** Only messages of this size are counted: whatever else members are told is smaller. */
  readonly payloadBytesMin: number;
  /** So many messages at most are under way to somebody. */
  readonly window: number;
  readonly seconds: number;
  /** The process that sends to the members. */
  readonly serverPid: number;
  /** Sends so many more messages to everybody. */
  readonly send: (messages: number) => void;
};

export type Flowed = {
  readonly deliveriesPerSecond: number;
  readonly payloadBytes: number;
  readonly framesPerWrite: number;
  /** Undefined where the system does not say. */
  readonly cpuMicrosPerDelivery: number | undefined;
};

const warmUpMillis = 1_000;
const drainMillisMax = 30_000;

/** Sends as fast as the members receive, and measures that once it flows. */
export const flow = async (needs: FlowNeeds): Promise<Flowed> => {
  const { members, side, window } = needs;
  let sent = 0;
  let everywhere = 0;
  let ending = false;
  let drained = (): void => undefined;
  const fill = (): void => {
    const room = window - (sent - everywhere);
    if (ending || room <= 0) return;
    sent += room;
    needs.send(room);
  };
  await members.watch(side, needs.payloadBytesMin, (reached) => {
    everywhere = reached;
    fill();
    // What sends several at once may keep a rest that does not fill a write.
    if (ending && sent - everywhere < window / 2) drained();
  });
  fill();
  await pause(Math.min(warmUpMillis, needs.seconds * 500));
  const before = await snapshot(needs);
  await pause(needs.seconds * 1_000);
  const after = await snapshot(needs);
  const done = new Promise<void>((resolve) => (drained = resolve));
  ending = true;
  await Promise.race([done, pause(drainMillisMax)]);
  return flowedBetween(before, after);
};

type Snapshot = {
  readonly received: readonly Received[];
  readonly cpu: number | undefined;
  readonly writes: number | undefined;
};

const snapshot = async ({ members, side, serverPid }: FlowNeeds): Promise<Snapshot> => {
  const received = await members.received(side);
  return { received, cpu: cpuSeconds(serverPid), writes: writeCalls(serverPid) };
};

const flowedBetween = (before: Snapshot, after: Snapshot): Flowed => {
  const grown = (of: (received: Received) => number): number =>
    sum(after.received.map(of)) - sum(before.received.map(of));
  const deliveries = grown(({ messages }) => messages);
  if (deliveries === 0) throw new Error('nothing was delivered');
  const perSecond = after.received.map(
    ({ messages, atMillis }, at) =>
      ((messages - (before.received[at]?.messages ?? 0)) * 1_000) / (atMillis - (before.received[at]?.atMillis ?? 0)),
  );
  // Where the system does not count writes, the reads of the members are nearly as many.
  const writes = difference(after.writes, before.writes) ?? grown(({ reads }) => reads);
  const cpu = difference(after.cpu, before.cpu);
  return {
    deliveriesPerSecond: sum(perSecond),
    payloadBytes: grown(({ payloadBytes }) => payloadBytes) / deliveries,
    framesPerWrite: deliveries / writes,
    cpuMicrosPerDelivery: cpu === undefined ? undefined : (cpu * 1e6) / deliveries,
  };
};

const difference = (after: number | undefined, before: number | undefined): number | undefined =>
  after === undefined || before === undefined ? undefined : after - before;
