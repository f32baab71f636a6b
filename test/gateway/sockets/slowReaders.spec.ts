import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import {
  slowReaders,
  stalledSweepsMax,
  stallSweepMillis,
  type SlowReader,
  type SlowReadersOptions,
} from '../../../src/gateway/sockets/slowReaders.js';
import { socketIdOf, unackedBytes, untakenBytes } from '../../../src/gateway/sockets/socketProgress.js';
import { setMessageBounds } from '../../../src/gateway/sockets/webSocketInside.js';
import type { UserId } from '../../../src/kernel/ids.js';
import { initialize } from '../rig/rawClient.js';
import { stage, type Stage, type Staging } from '../rig/stage.js';

/** Readers, and those of them that were cut and destroyed, in order. */
const behind = (options: SlowReadersOptions = {}) => {
  const unacked = new Map<number, number>();
  const all = slowReaders({ unackedBytes: () => Promise.resolve(unacked), ...options });
  const cut: string[] = [];
  const destroyed: string[] = [];
  const reader = (name: string, socketId?: number, user?: bigint) => {
    const made = {
      unsentBytes: 0,
      untakenBytes: 0,
      // A user of the test's own.
      user: user as UserId | undefined,
      socketId,
      cut: () => {
        cut.push(name);
        all.forget(made);
      },
      destroy: () => destroyed.push(name),
    };
    const wrote = (bytes: number): void => {
      made.unsentBytes += bytes;
      all.fellBehind(made satisfies SlowReader);
    };
    return Object.assign(made, { wrote });
  };
  const sweeps = async (count: number, before: () => void = () => undefined): Promise<void> => {
    for (let swept = 0; swept < count; swept += 1) {
      before();
      await all.sweep();
    }
  };
  return { ...all, cut, destroyed, reader, sweeps, unacked };
};

describe('bytes that wait for slow readers', () => {
  it('are bounded over all: the fullest readers are closed first, no more of them than needed', () => {
    const { destroyed, reader } = behind({ waitingBytesMax: 1_000 });
    const [little, fullest, full, last] = [reader('little'), reader('fullest'), reader('full'), reader('last')];
    little.wrote(10);
    full.wrote(400);
    fullest.wrote(500);
    last.wrote(90);
    assert.deepEqual(destroyed, []);
    last.wrote(1);
    assert.deepEqual(destroyed, ['fullest']);
  });

  it('have an eighth of the bound free after that, so that the next write does not look for the fullest again', () => {
    const { destroyed, reader } = behind({ waitingBytesMax: 1_000 });
    for (const [index, bytes] of [100, 99, 98, 97, 96, 95, 94, 93, 92, 91, 90].entries())
      reader(index.toString()).wrote(bytes);
    assert.deepEqual(destroyed, ['0', '1']);
  });

  it('count no more once they are taken, or the connection has closed', () => {
    const { destroyed, reader, forget } = behind({ waitingBytesMax: 1_000 });
    const [taken, closed, partly, last] = [reader('taken'), reader('closed'), reader('partly'), reader('last')];
    for (const one of [taken, closed, partly]) one.wrote(300);
    taken.unsentBytes = 0;
    forget(closed);
    partly.unsentBytes = 100;
    last.wrote(700);
    assert.deepEqual(destroyed, []);
    partly.wrote(300);
    assert.deepEqual(destroyed, ['last']);
  });

  it('destroy nobody where measuring shows that enough was taken', () => {
    const { destroyed, reader } = behind({ waitingBytesMax: 1_000 });
    const [full, other, last] = [reader('full'), reader('other'), reader('last')];
    full.wrote(600);
    other.wrote(390);
    full.unsentBytes -= 90;
    last.wrote(20);
    assert.deepEqual(destroyed, []);
  });
});

describe('bytes that wait for the clients of one user', () => {
  const [ada, ben] = [1n, 2n] as UserId[];

  it('are bounded over all of them: the fullest of them is closed, and nobody else', () => {
    const reached: string[] = [];
    const { destroyed, reader } = behind({
      waitingBytesMax: 10_000,
      waitingBytesPerUserMax: 1_000,
      reached: (bound) => reached.push(bound),
    });
    const [one, two, other, nobody] = [reader('one', 1, ada), reader('two', 2, ada), reader('b', 3, ben), reader('n')];
    other.wrote(1_000);
    nobody.wrote(5_000);
    one.wrote(700);
    two.wrote(300);
    assert.deepEqual(destroyed, []);
    two.wrote(1);
    assert.deepEqual([destroyed, reached], [['one'], ['waiting_per_user']]);
  });

  it('count for the user whose session the connection has now', () => {
    const { destroyed, reader, isPressed } = behind({ waitingBytesPerUserMax: 1_000 });
    const [moving, staying] = [reader('moving', 1, ada), reader('staying', 2, ben)];
    moving.wrote(600);
    moving.user = ben;
    moving.wrote(1);
    assert.deepEqual([isPressed(ada), isPressed(ben)], [false, true]);
    staying.wrote(400);
    assert.deepEqual(destroyed, ['moving']);
  });

  it('press on that user from half of the bound on, and on everybody from half of the bound over all', () => {
    const { reader, isPressed, forget } = behind({ waitingBytesMax: 4_000, waitingBytesPerUserMax: 1_000 });
    const full = reader('full', 1, ada);
    full.wrote(500);
    assert.equal(isPressed(ada), false);
    full.wrote(1);
    assert.deepEqual([isPressed(ada), isPressed(ben), isPressed(undefined)], [true, false, false]);
    reader('nobody').wrote(1_500);
    assert.deepEqual([isPressed(ben), isPressed(undefined)], [true, true]);
    forget(full);
    assert.deepEqual([isPressed(ada), isPressed(undefined)], [false, false]);
  });
});

describe('a reader for whom bytes wait', () => {
  it('is cut when it takes none of them for half a minute, and one for whom nothing waits is not', async () => {
    assert.ok(stalledSweepsMax * stallSweepMillis >= 30_000);
    const { cut, reader, sweeps } = behind();
    const [stuck, idle] = [reader('stuck'), reader('idle')];
    stuck.wrote(100);
    idle.wrote(100);
    idle.unsentBytes = 0;
    // The first sweep may follow at once.
    await sweeps(stalledSweepsMax);
    assert.deepEqual(cut, []);
    await sweeps(1);
    assert.deepEqual(cut, ['stuck']);
  });

  it('is not cut while the system takes some now and then', async () => {
    const { cut, reader, sweeps } = behind();
    const moving = reader('moving');
    moving.wrote(100);
    for (let round = 0; round < 3; round += 1) {
      await sweeps(stalledSweepsMax);
      moving.untakenBytes -= 1;
    }
    await sweeps(stalledSweepsMax + 1);
    assert.deepEqual(cut, []);
    await sweeps(1);
    assert.deepEqual(cut, ['moving']);
  });

  it('is not cut while the other end acknowledges some now and then, though the system takes nothing', async () => {
    const { cut, reader, sweeps, unacked } = behind();
    const [slow, stuck] = [reader('slow', 1), reader('stuck', 2)];
    unacked.set(1, 5_000).set(2, 5_000);
    for (const one of [slow, stuck]) one.wrote(100);
    for (let round = 0; round < 3; round += 1) {
      await sweeps(stalledSweepsMax);
      unacked.set(1, (unacked.get(1) ?? 0) - 1);
    }
    assert.deepEqual(cut, ['stuck']);
    await sweeps(stalledSweepsMax + 1);
    assert.deepEqual(cut, ['stuck', 'slow']);
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

const cutsIn = async ({ metrics }: Stage): Promise<number> =>
  Number(/osmium_cuts_total (\d+)/.exec(await metrics.text())?.[1] ?? 0);

describe('clients that do not read', { timeout: 60_000 }, () => {
  it('are closed when too much waits for all of them together, and the others hear everything', async (t) => {
    const there = await staged(t, { bounds: { waitingBytesMax: 6_000_000 } });
    const { signedIn, hub } = there;
    const quick = await signedIn(9n, 99n);
    const slow = await Promise.all([1n, 2n, 3n, 4n].map((user) => signedIn(user, user)));
    for (const { socket } of slow) socket.pause();
    // Far below what one of them may have waiting, on top of what the system's buffers take.
    for (let told = 1; (await cutsIn(there)) === 0; told += 1) {
      assert.ok(told < 200, 'nobody was cut');
      hub.deliver([named([1n, 2n, 3n, 4n, 9n], told.toString().padEnd(100_000, '.'))]);
      await quick.find(({ update }) => update?.user?.user?.name.startsWith(`${told.toString()}.`) === true);
    }
    hub.deliver([named([9n], 'end')]);
    await quick.find(({ update }) => update?.user?.user?.name === 'end');
    for (const { socket } of slow) socket.resume();
    assert.equal(await Promise.race(slow.map(({ closed }) => closed)), 1006);
  });

  it('have no request begun while much waits for everybody, unless little waits for them', async (t) => {
    const { signedIn, hub, metrics, sockets } = await staged(t, { bounds: { waitingBytesMax: 8_000_000 } });
    const [some, much, little] = [await signedIn(1n, 11n), await signedIn(2n, 22n), await signedIn(3n, 33n)];
    const fill = async (user: bigint, bytes: number): Promise<void> => {
      while (sockets.bufferedBytes() < bytes) {
        hub.deliver([named([user], '.'.repeat(100_000))]);
        await new Promise(setImmediate);
      }
    };
    for (const { socket } of [some, much]) socket.pause();
    // More than the kernel may still take once nothing more is handed to it.
    await fill(1n, 2_500_000);
    await fill(2n, 6_000_000);
    for (const client of [some, little]) client.ask(20, 'coreInitialize', initialize);
    await little.result(20);
    await little.settled();
    // Three of the handshakes, and that of the client for whom nothing waits.
    assert.match(await metrics.text(), /osmium_rpc_seconds_count\{rpc="coreInitialize"\} 4\n/);
    some.socket.resume();
    await some.result(20);
  });

  it('count no more once they have gone', async (t) => {
    const there = await staged(t, { bounds: { waitingBytesMax: 12_000_000 } });
    const { signedIn, hub, sockets } = there;
    for (let user = 1n; user <= 4n; user += 1n) {
      const slow = await signedIn(user, user);
      slow.socket.pause();
      while (sockets.bufferedBytes() < 4_000_000) {
        hub.deliver([named([user], '.'.repeat(500_000))]);
        await new Promise(setImmediate);
      }
      slow.socket.terminate();
      while (sockets.count() > 0) await new Promise(setImmediate);
    }
    assert.equal(await cutsIn(there), 0);
  });

  it('are cut when they take nothing for too long, pings or not, and silent ones are not', async (t) => {
    const { signedIn, hub } = await staged(t, { bounds: { stallSweepMillis: 50 } });
    const [stuck, silent] = [await signedIn(1n, 11n), await signedIn(2n, 22n)];
    stuck.socket.pause();
    const alive = setInterval(() => {
      stuck.socket.ping();
    }, 20);
    t.after(() => {
      clearInterval(alive);
    });
    // More than the system's own buffers take, less than one connection may have waiting.
    for (let index = 0; index < 14; index += 1) hub.deliver([named([1n], '.'.repeat(500_000))]);
    await once(stuck.socket, 'close');
    await silent.settled();
  });
});

/** Both ends of a connection on this machine. */
const ends = async (t: TestContext): Promise<{ readonly near: Socket; readonly far: Socket }> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1'); // A TCP server has one of this kind.
  const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [[Socket], []]; // The events are documented to give this.
  t.after(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return { near, far };
};

describe('what libraries do not show', { timeout: 20_000 }, () => {
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

  it(
    'bytes that the other end takes are seen, where the system takes no more of ours yet',
    { skip: process.platform === 'linux' ? false : 'only Linux tells' },
    async (t) => {
      const { near, far } = await ends(t);
      near.write(Buffer.alloc(50_000_000));
      const [socketId = -1, readBytes] = [socketIdOf(near), 65_536];
      const look = async (): Promise<readonly [unacked: number, untaken: number]> => {
        for (;;) {
          // A table that changes while it is read may miss a line.
          const unacked = (await unackedBytes()).get(socketId);
          if (unacked !== undefined) return [unacked, untakenBytes(near)];
        }
      };
      // Until the buffers of both ends are full.
      let before = await look();
      for (let same = 0; same < 20; same += 1) {
        const now = await look();
        if (now.join() !== before.join()) same = 0;
        before = now;
      }
      const [unacked, untaken] = before;
      assert.ok(unacked > readBytes);
      let now = before;
      while (now[0] > unacked - readBytes) {
        far.read(readBytes);
        now = await look();
      }
      assert.equal(now[1], untaken);
    },
  );

  it('a socket that is closed has no number', async (t) => {
    const { near } = await ends(t);
    near.destroy();
    await once(near, 'close');
    assert.equal(socketIdOf(near), undefined);
  });

  it('the bounds on messages of an open WebSocket can be changed, both ways', async (t) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', maxPayload: 100 });
    await once(server, 'listening');
    const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port.toString()}`);
    t.after(() => {
      client.terminate();
      server.close();
    });
    const [[socket]] = (await Promise.all([once(server, 'connection'), once(client, 'open')])) as [[WebSocket], []]; // As above.
    socket.on('error', () => undefined);
    setMessageBounds(socket, { maxPayload: 1_000, maxFragments: 2, maxBufferedChunks: 10 });
    client.send(Buffer.alloc(1_000));
    const [data] = (await once(socket, 'message')) as [Buffer]; // As above.
    assert.equal(data.length, 1_000);
    setMessageBounds(socket, { maxPayload: 100, maxFragments: 2, maxBufferedChunks: 10 });
    client.send(Buffer.alloc(101));
    const [code] = (await once(client, 'close')) as [number]; // As above.
    assert.equal(code, 1009);
  });

  it('a frame that comes in too many reads closes an open WebSocket', async (t) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port.toString()}`);
    t.after(() => {
      client.terminate();
      server.close();
    });
    const [[socket, request]] = (await Promise.all([once(server, 'connection'), once(client, 'open')])) as [
      [WebSocket, IncomingMessage],
      [],
    ]; // As above.
    const failed = once(socket, 'error');
    setMessageBounds(socket, { maxPayload: 1_000, maxFragments: 2, maxBufferedChunks: 10 });
    // The head of a frame of 100 bytes, and then one byte in each read.
    request.socket.emit('data', Buffer.from([0x82, 0x80 + 100, 0, 0, 0, 0]));
    for (let read = 0; read < 11; read += 1) request.socket.emit('data', Buffer.of(0));
    const [error] = (await failed) as [Error]; // As above.
    assert.match(error.message, /[Tt]oo many/);
  });
});
