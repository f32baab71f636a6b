import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { nothing, rpcTable, type AnyRpc } from '../../../src/gen/rpcs.js';
import { readClientMessage } from '../../../src/wire/envelope.js';
import type { HandlerTable } from '../../../src/gateway/contract/handlers.js';
import type { RawClient } from '../rig/rawClient.js';
import { stage, type Stage } from '../rig/stage.js';

const names = Object.keys(rpcTable) as AnyRpc['name'][]; // The table's keys are the names.

// All answer at once, so that what is under test is what comes before a handler and after it.
const answering = Object.fromEntries(
  names.filter((name) => name !== 'authAuthorize').map((name) => [name, () => Promise.resolve(nothing)]),
) as unknown as Partial<HandlerTable>;

/** A request with an id and a field of some RPC, then bytes that may or may not be its fields. */
const nearlyRequest = fc
  .record({
    id: fc.integer({ min: 0, max: 127 }),
    number: fc.integer({ min: 1, max: 120 }),
    body: fc.uint8Array({ maxLength: 60 }),
    cut: fc.nat({ max: 3 }),
  })
  .map(({ id, number, body, cut }) => {
    const tag = number * 8 + 2;
    const frame = [0x08, id, (tag & 127) | 128, tag >>> 7, body.length, ...body];
    return Uint8Array.from(frame.slice(0, frame.length - cut));
  });

// A token that is refused closes the connection, as it should.
const isAuthorize = (frame: Uint8Array): boolean => {
  const message = readClientMessage(frame);
  return message.kind === 'request' && message.number === rpcTable.authAuthorize.number;
};
const frame = fc.oneof(fc.uint8Array({ maxLength: 80 }), nearlyRequest).filter((bytes) => !isAuthorize(bytes));
const frames = fc.array(frame, { minLength: 1, maxLength: 20 });

describe('random bytes', () => {
  let made: Stage;
  let witness: RawClient;
  before(async () => {
    made = await stage({ handlers: () => answering });
    witness = await made.signedIn(7n, 77n);
  });
  after(() => made.stop());

  it('are answered once each, unless they are heartbeats, and nobody else notices', async () => {
    await fc.assert(
      fc.asyncProperty(frames, async (sent) => {
        const client = await made.signedIn(1n, 11n);
        const before = client.received.filter(({ result }) => result !== undefined).length;
        for (const frame of sent) client.send(frame);
        await client.settled();
        const answers = client.received.filter(({ result }) => result !== undefined).length - before - 1;
        const asked = sent.filter((frame) => readClientMessage(frame).kind !== 'heartbeat').length;
        assert.equal(answers, asked);
        await client.leave();
      }),
      { numRuns: 150 },
    );
    await witness.settled();
    assert.equal(made.logged.filter(({ level }) => level === 50).length, 0);
  });

  it('below the frames close the connection with a documented code, and nobody else notices', async () => {
    const raw = fc.uint8Array({ minLength: 2, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(raw, async (bytes) => {
        const client = await made.client();
        const stream = streamOf(client);
        stream.write(bytes);
        stream.end();
        assert.ok([1000, 1001, 1002, 1003, 1005, 1006, 1007, 1009].includes(await client.closed));
      }),
      { numRuns: 100 },
    );
    await witness.settled();
  });
});

/** The library keeps its stream to itself; a client that breaks the WebSocket protocol has to write below it. */
const streamOf = ({ socket }: RawClient) => (socket as unknown as { readonly _socket: Socket })._socket;
