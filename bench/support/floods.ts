import { setTimeout as pause } from 'node:timers/promises';
import type { RPCResult } from '../../src/gen/core.js';
import type { Request } from './hostileRequests.js';
import type { RawClient } from './rawClient.js';
import { maskedFrame } from './rawSocket.js';
import { count, type Tally } from './tally.js';

/** A flood over one connection: the requests one after the other, as fast as they are answered. */
export type Flood = {
  readonly open: () => Promise<RawClient>;
  readonly frames: FloodFrames;
  /** Requests of one connection that wait for their answers. */
  readonly window: number;
  readonly until: number;
  readonly tally: Tally;
};

/** Of each slot of a window, with an id of its own in them. */
export type FloodFrames = readonly (readonly Uint8Array[])[];

const openedMax = 20_000;
const sentMax = 400_000;
const reopenMillis = 100;
/** Above the ids of requests that the client numbers by itself. */
const firstId = 1_000_000;
/** Frames of all slots together. */
const framesBytesMax = 400_000_000;

/** Throws where a window of such requests would not fit into memory. */
export const framesOf = (requests: readonly Request[], window: number): FloodFrames => {
  let total = 0;
  return Array.from({ length: window }, (_, slot) =>
    requests.map((request) => {
      const frame = maskedFrame(request(firstId + slot));
      total += frame.length;
      if (total > framesBytesMax) throw new Error('the frames of this flood are too large');
      return frame;
    }),
  );
};

/** A connection that the server closes is opened again. */
export const flood = async (flooding: Flood): Promise<void> => {
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

const floodBy = async (client: RawClient, { frames, until, tally }: Flood): Promise<void> => {
  const timer = setTimeout(() => client.leave(), Math.max(0, until - performance.now()));
  const repeat = async (own: readonly Uint8Array[], slot: number): Promise<void> => {
    // All slots begin with the first, so that a window is full of one kind.
    for (let turn = 0; client.socket.isOpen && tally.sent < sentMax; turn += 1) {
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
