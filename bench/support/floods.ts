import { setTimeout as pause } from 'node:timers/promises';
import type { RPCResult } from '../../src/gen/core.js';
import type { Request } from './hostileRequests.js';
import type { RawClient } from './rawClient.js';
import { maskedFrame } from './rawSocket.js';
import { count, newTally, type Tally } from './tally.js';

export type Flood = {
  readonly open: () => Promise<RawClient>;
  readonly requests: readonly Request[];
  readonly seconds: number;
};

const connections = 2;
/** Requests of one connection that wait for their answers. */
const windowRequests = 4;
const openedMax = 2_000;
const sentMax = 200_000;
const reopenMillis = 100;
/** Above the ids of requests that the client numbers by itself. */
const firstId = 1_000_000;

/** Repeats the requests as fast as they are answered. A connection that the server closes is opened again. */
export const flood = async ({ open, requests, seconds }: Flood): Promise<Tally> => {
  const tally = newTally();
  const frames = Array.from({ length: windowRequests }, (_, slot) =>
    requests.map((request) => maskedFrame(request(firstId + slot))),
  );
  const until = performance.now() + seconds * 1_000;
  await Promise.all(Array.from({ length: connections }, () => keepFlooding({ open, frames, until, tally })));
  return tally;
};

type Flooding = {
  readonly open: () => Promise<RawClient>;
  /** Of each slot of the window, with an id of its own in them. */
  readonly frames: readonly (readonly Uint8Array[])[];
  readonly until: number;
  readonly tally: Tally;
};

const keepFlooding = async (flooding: Flooding): Promise<void> => {
  const { open, until, tally } = flooding;
  while (performance.now() < until && tally.opened + tally.unopened < openedMax && tally.sent < sentMax) {
    const client = await open().catch(() => undefined);
    if (client === undefined) tally.unopened += 1;
    else {
      tally.opened += 1;
      await floodBy(client, flooding);
    }
    await pause(reopenMillis);
  }
};

const floodBy = async (client: RawClient, { frames, until, tally }: Flooding): Promise<void> => {
  const timer = setTimeout(() => client.leave(), Math.max(0, until - performance.now()));
  const repeat = async (own: readonly Uint8Array[], slot: number): Promise<void> => {
    for (let turn = slot; client.socket.isOpen && tally.sent < sentMax; turn += 1) {
      tally.sent += 1;
      count(tally, await asked(client, firstId + slot, own[turn % own.length]));
    }
  };
  await Promise.all(frames.map(repeat));
  if (performance.now() < until && !client.socket.isOpen) tally.closed += 1;
  clearTimeout(timer);
  client.leave();
};

const asked = (client: RawClient, id: number, frame: Uint8Array = new Uint8Array()): Promise<RPCResult> =>
  new Promise((resolve) => {
    client.askBytes(id, frame, resolve);
  });
