import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { slowReaders, type SlowReader, type SlowReadersOptions } from '../../../src/gateway/slowReaders.js';
import { untakenBytes } from '../../../src/gateway/streamInside.js';
import { setMessageBytesMax } from '../../../src/gateway/webSocketInside.js';
import type { UserId } from '../../../src/kernel/ids.js';
import { stage, type Stage, type Staging } from './stage.js';

/** Readers with so many bytes each, and those of them that were cut, in order. */
const behind = (t: TestContext, options: SlowReadersOptions) => {
  const all = slowReaders(options);
  t.after(all.close);
  const cut: string[] = [];
  const destroyed: string[] = [];
  let cutOnce = (): void => undefined;
  const someoneCut = new Promise<void>((resolve) => {
    cutOnce = resolve;
  });
  const reader = (name: string) => {
    const made = {
      unsentBytes: 0,
      untakenBytes: 0,
      cut: () => {
        cut.push(name);
        cutOnce();
      },
      destroy: () => destroyed.push(name),
    } satisfies SlowReader;
    const wrote = (bytes: number): void => {
      made.unsentBytes += bytes;
      all.fellBehind(made);
    };
    return Object.assign(made, { wrote });
  };
  return { ...all, cut, destroyed, someoneCut, reader };
};

describe('bytes that wait for slow readers', () => {
  it('are bounded over all: the fullest readers are closed first, no more of them than needed', (t) => {
    const { destroyed, reader } = behind(t, { bytesMax: 1_000 });
    const [little, fullest, full, last] = ['little', 'fullest', 'full', 'last'].map(reader);
    assert.ok(little && fullest && full && last);
    little.wrote(10);
    full.wrote(400);
    fullest.wrote(500);
    last.wrote(90);
    assert.deepEqual(destroyed, []);
    last.wrote(1);
    assert.deepEqual(destroyed, ['fullest']);
  });

  it('count no more once they are taken, or the connection closes', (t) => {
    const { destroyed, reader, forget } = behind(t, { bytesMax: 1_000 });
    const [taken, closed, partly, last] = ['taken', 'closed', 'partly', 'last'].map(reader);
    assert.ok(taken && closed && partly && last);
    for (const one of [taken, closed, partly]) one.wrote(300);
    taken.unsentBytes = 0;
    forget(closed);
    partly.unsentBytes = 100;
    last.wrote(700);
    assert.deepEqual(destroyed, []);
    partly.wrote(300);
    assert.deepEqual(destroyed, ['last']);
  });

  it('are not waited for when the reader takes none of them, only of those for whom some wait', async (t) => {
    const { cut, someoneCut, reader } = behind(t, { stalledMillis: 60 });
    const [stuck, moving, idle] = ['stuck', 'moving', 'idle'].map(reader);
    assert.ok(stuck && moving && idle);
    const reading = setInterval(() => {
      moving.untakenBytes -= 1;
    }, 1);
    t.after(() => {
      clearInterval(reading);
    });
    idle.wrote(100);
    idle.unsentBytes = 0;
    moving.wrote(100);
    stuck.wrote(100);
    await someoneCut;
    assert.deepEqual(cut, ['stuck']);
  });
});

const staged = async (t: TestContext, staging?: Staging): Promise<Stage> => {
  const made = await stage(staging);
  t.after(() => made.stop());
  return made;
};

const named = (audience: readonly bigint[], name: string) => ({
  audience: audience as readonly UserId[],
  update: { user: { userId: 1n as UserId, user: { name } } },
});

describe('clients that do not read', () => {
  it('are closed when too much waits for all of them together, and the others hear everything', async (t) => {
    const { signedIn, hub, metrics } = await staged(t, { bounds: { bytesMax: 6_000_000 } });
    const quick = await signedIn(9n, 99n);
    const slow = await Promise.all([1n, 2n, 3n, 4n].map((user) => signedIn(user, user)));
    for (const { socket } of slow) socket.pause();
    let told = 0;
    // Far below what one of them may have waiting.
    while (!(await metrics.text()).includes('osmium_cuts_total 1')) {
      told += 1;
      hub.deliver([named([1n, 2n, 3n, 4n, 9n], told.toString().padEnd(100_000, '.'))]);
      await quick.find(({ update }) => update?.user?.user?.name.startsWith(`${told.toString()}.`) === true);
    }
    hub.deliver([named([9n], 'end')]);
    await quick.find(({ update }) => update?.user?.user?.name === 'end');
    for (const { socket } of slow) socket.resume();
    const codes = await Promise.race(slow.map(({ closed }) => closed));
    assert.ok([1013, 1006].includes(codes));
  });

  it('are cut when they take nothing for too long, pings or not, and silent ones are not', async (t) => {
    const { signedIn, hub } = await staged(t, { bounds: { stalledMillis: 300 } });
    const [stuck, silent] = [await signedIn(1n, 11n), await signedIn(2n, 22n)];
    stuck.socket.pause();
    const alive = setInterval(() => {
      stuck.socket.ping();
    }, 20);
    // More than the system's own buffers take, less than one connection may have waiting.
    for (let index = 0; index < 14; index += 1) hub.deliver([named([1n], '.'.repeat(500_000))]);
    await once(stuck.socket, 'close');
    clearInterval(alive);
    await silent.settled();
  });
});

/** Both ends of a connection on this machine. */
const ends = async (t: TestContext): Promise<{ readonly near: Socket; readonly far: Socket }> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1'); // A TCP server has one of this kind.
  const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [[Socket], []]; // What the events are documented to give.
  t.after(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return { near, far };
};

describe('what libraries do not show', () => {
  it('a write that is taken bit by bit is seen to move, where writableLength stands still', async (t) => {
    const { near, far } = await ends(t);
    near.write(Buffer.alloc(50_000_000));
    const [length, untaken] = [near.writableLength, untakenBytes(near)];
    assert.ok(length > 0 && untaken > 0 && untaken <= length);
    far.resume();
    while (untakenBytes(near) === untaken) await new Promise(setImmediate);
    assert.equal(near.writableLength, length);
    assert.ok(untakenBytes(near) < untaken);
  });

  it('the largest message that an open WebSocket takes can be changed, both ways', async (t) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', maxPayload: 100 });
    await once(server, 'listening');
    const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port.toString()}`);
    t.after(() => {
      client.terminate();
      server.close();
    });
    const [[socket]] = (await Promise.all([once(server, 'connection'), once(client, 'open')])) as [[WebSocket], []]; // As above.
    socket.on('error', () => undefined);
    setMessageBytesMax(socket, 1_000);
    client.send(Buffer.alloc(1_000));
    const [data] = (await once(socket, 'message')) as [Buffer]; // As above.
    assert.equal(data.length, 1_000);
    setMessageBytesMax(socket, 100);
    client.send(Buffer.alloc(101));
    const [code] = (await once(client, 'close')) as [number]; // As above.
    assert.equal(code, 1009);
  });
});
