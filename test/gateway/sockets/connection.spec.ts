import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { inFlightMax } from '../../../src/gateway/sockets/requestIntake.js';
import { gatewayPaths } from '../../../src/gateway/sockets/server.js';
import { nothing } from '../../../src/gen/rpcs.js';
import { encodeRequest } from '../../../src/wire/envelope.js';
import { initialize } from '../rig/rawClient.js';
import { unknownRequest } from '../../support/unknownRequest.js';
import { stage, type Stage, type Staging } from '../rig/stage.js';

const staged = async (t: TestContext, staging?: Staging): Promise<Stage> => {
  const made = await stage(staging);
  t.after(() => made.stop());
  return made;
};

/** A handler that answers only when it is let. */
const gate = () => {
  const waiting: (() => void)[] = [];
  let begun = 0;
  let watchers: (() => void)[] = [];
  return {
    begun: () => begun,
    pass: async () => {
      begun += 1;
      for (const watcher of watchers.splice(0)) watcher();
      await new Promise<void>((resolve) => waiting.push(resolve));
      return nothing;
    },
    open: () => {
      for (const resolve of waiting.splice(0)) resolve();
    },
    until: async (count: number) => {
      while (begun < count) await new Promise<void>((resolve) => watchers.push(resolve));
      watchers = [];
    },
  };
};

describe('a connection', () => {
  for (const path of gatewayPaths) {
    it(`is made on ${path}`, async (t) => {
      const client = await (await staged(t)).client(path);
      client.ask(7, 'coreInitialize', initialize);
      assert.deepEqual(await client.result(7), { reqId: 7, initialized: {} });
    });
  }

  it('takes neither compression nor a sub-protocol', async (t) => {
    const client = await (await staged(t)).client();
    assert.equal(client.socket.extensions, '');
    assert.equal(client.socket.protocol, '');
  });

  it('says nothing until it is asked', async (t) => {
    const client = await (await staged(t)).client();
    await client.settled();
    assert.equal(client.received.length, 1);
  });

  it('numbers what it sends from 1', async (t) => {
    const client = await (await staged(t)).client();
    for (const id of [5, 0, 5, 300]) client.ask(id, 'coreInitialize', initialize);
    await client.result(300);
    assert.deepEqual(
      client.received.map(({ id, result }) => [id, result?.reqId]),
      [
        [1, 5],
        [2, 0],
        [3, 5],
        [4, 300],
      ],
    );
  });

  it('does not answer a heartbeat', async (t) => {
    const client = await (await staged(t)).client();
    client.heartbeat();
    await client.settled();
    assert.equal(client.received.length, 1);
  });

  it('refuses a message that asks for nothing, unless it is a heartbeat', async (t) => {
    const client = await (await staged(t)).client();
    for (const frame of [[], [0x08, 0x00], [0x08, 0x05]]) client.send(Uint8Array.from(frame));
    await client.settled();
    const answers = client.received.map(({ result }) => [result?.reqId, result?.error?.errorCode]);
    assert.deepEqual(answers.slice(0, -1), [
      [0, 400],
      [0, 400],
      [5, 400],
    ]);
  });

  it('answers pings', async (t) => {
    const client = await (await staged(t)).client();
    const ponged = new Promise((resolve) => client.socket.once('pong', resolve));
    client.socket.ping('are you there');
    assert.equal(String(await ponged), 'are you there');
  });

  it('refuses bytes that are no message, with the id as far as it can be read', async (t) => {
    const client = await (await staged(t)).client();
    client.send(Uint8Array.of(0x08, 42, 0xff, 0xff, 0xff));
    client.send(Uint8Array.of(0xff));
    const { error, traceId } = await client.result(42);
    assert.equal(error?.errorCode, 400);
    assert.match(traceId ?? '', /^[0-9a-f]{32}$/);
    assert.equal((await client.result(0)).error?.errorCode, 400);
  });

  it('refuses a request whose fields cannot be read', async (t) => {
    const client = await (await staged(t)).client();
    const frame = encodeRequest(9, 'coreInitialize', { ...initialize, deviceType: 'abcd' });
    frame.fill(0xff, frame.indexOf('abcd'.charCodeAt(0)), frame.indexOf('abcd'.charCodeAt(0)) + 2);
    client.send(frame);
    assert.equal((await client.result(9)).error?.errorCode, 400);
  });

  it('refuses numbers that no RPC has', async (t) => {
    const client = await (await staged(t)).client();
    client.send(unknownRequest(3));
    assert.equal((await client.result(3)).error?.errorCode, 501);
  });

  it('closes with 1003 on a text frame', async (t) => {
    const client = await (await staged(t)).client();
    client.send('hello');
    assert.equal(await client.closed, 1003);
  });

  it('closes with 1009 on a message over 1.25 MiB, and takes one of 1.1 MiB', async (t) => {
    const client = await (await staged(t)).signedIn(1n, 11n);
    const large = new Uint8Array(1_153_433);
    large[0] = 0xff;
    client.send(large);
    assert.equal((await client.result(0)).error?.errorCode, 400);
    client.send(new Uint8Array(1_310_721));
    assert.equal(await client.closed, 1009);
  });

  it('closes with 1001 when nothing comes, and not while pings or heartbeats do', async (t) => {
    const { client } = await staged(t, { bounds: { idleMillis: 200 } });
    const [silent, pinging, beating] = await Promise.all([client(), client(), client()]);
    const alive = setInterval(() => {
      pinging.socket.ping();
      beating.heartbeat();
    }, 20);
    t.after(() => {
      clearInterval(alive);
    });
    assert.equal(await silent.closed, 1001);
    await Promise.all([pinging.settled(), beating.settled()]);
  });

  it(`works on ${inFlightMax.toString()} sends at once and reads on when they are answered`, async (t) => {
    const door = gate();
    const { signedIn } = await staged(t, {
      handlers: () => ({
        messagesSendMessage: async () => {
          await door.pass();
          return { sentMessage: {} };
        },
      }),
    });
    const client = await signedIn(1n, 11n);
    for (let id = 100; id < 300; id += 1) client.ask(id, 'messagesSendMessage', {});
    await door.until(inFlightMax);
    const other = await signedIn(2n, 22n);
    await other.settled();
    assert.equal(door.begun(), inFlightMax);
    while (door.begun() < 200) {
      const before = door.begun();
      door.open();
      await door.until(Math.min(200, before + 1));
    }
    door.open();
    await client.result(299);
    assert.equal(client.received.filter(({ result }) => (result?.reqId ?? 0) >= 100).length, 200);
  });

  it('answers what is under way, then closes with 1012 when the server stops', async () => {
    const door = gate();
    const { signedIn, stop } = await stage({ handlers: () => ({ chatsSetTyping: door.pass }) });
    const client = await signedIn(1n, 11n);
    client.ask(100, 'chatsSetTyping', {});
    await door.until(1);
    const stopped = stop();
    door.open();
    assert.deepEqual(await client.result(100), { reqId: 100 });
    assert.equal(await client.closed, 1012);
    await stopped;
  });
});

describe('a plain request over HTTP', () => {
  it('is told to connect with a WebSocket', async (t) => {
    const { url } = await staged(t);
    assert.equal((await fetch(url.replace('ws:', 'http:'))).status, 426);
  });

  it('finds health and readiness, and no metrics', async (t) => {
    const { url, client, metrics } = await staged(t);
    await (await client()).settled();
    const get = (path: string): Promise<Response> => fetch(url.replace('ws:', 'http:') + path);
    assert.deepEqual(await (await get('/healthz')).json(), { ok: true });
    assert.deepEqual(await (await get('/readyz')).json(), { ready: true });
    assert.equal((await get('/metrics')).status, 404);
    assert.match(await metrics.text(), /osmium_rpcs_total\{rpc="unknown",outcome="NOT_IMPLEMENTED"\} 1/);
  });
});
