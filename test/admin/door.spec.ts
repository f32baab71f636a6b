import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connectInFolder, listenInFolder } from '../../src/adapters/dataFolder/adminSocket.js';
import { SocketInTheWay } from '../../src/adapters/dataFolder/folderSocket.js';
import { door, type Door } from '../../src/admin/door.js';
import { askDoor, DoorUnanswered } from '../../src/admin/doorClient.js';
import { lineReader } from '../../src/kernel/lines.js';
import {
  done,
  doorConnectionsMax,
  doorIdleMillisMax,
  doorRefusals,
  requestLineBytesMax,
  type VerbOutcome,
} from '../../src/admin/doorProtocol.js';
import { verbs } from '../../src/admin/registry.js';
import { declareVerb, type RunningServer, type ServerPhase, type Verb } from '../../src/admin/verb.js';
import { deferred } from '../../src/kernel/timing.js';
import { freshFolder } from '../support/dataFolders.js';
import { nodeTimers, type NodeTimers } from '../support/nodeTimers.js';
import { textOf } from '../support/sources.js';

type Opened = {
  readonly folder: string;
  readonly timers: NodeTimers;
  readonly door: Door;
  readonly failures: unknown[];
  phase: ServerPhase;
};

const opened = async (t: TestContext, own: readonly Verb[], folder = freshFolder(t)): Promise<Opened> => {
  const nothing = (): Promise<never> => Promise.reject(new Error('not asked in this test'));
  const projections = { status: nothing, drop: nothing, verify: nothing, switchTo: nothing, back: nothing };
  const bots = { create: nothing, list: nothing, token: nothing, drop: nothing };
  const users = { password: nothing };
  const files = { stats: nothing, sweep: nothing };
  const asked = {
    status: nothing,
    metrics: nothing,
    takeBackup: nothing,
    projections,
    readOwn: nothing,
    bots,
    users,
    files,
  };
  const server: RunningServer = { phase: () => made.phase, ...asked };
  const [timers, failures] = [nodeTimers(), [] as unknown[]];
  const failed = (_: string, error: unknown): void => void failures.push(error);
  const made: Opened = {
    ...{ folder, timers, failures, phase: 'running' },
    door: door({ verbs: own, server, timers, failed }),
  };
  const socket = await listenInFolder(folder, made.door.accept);
  t.after(() => {
    socket.close();
    made.door.close();
  });
  return made;
};

const connected = async (t: TestContext, { folder }: Pick<Opened, 'folder'>): Promise<Socket> => {
  const socket = await connectInFolder(folder);
  assert.ok(socket);
  socket.on('error', () => undefined);
  t.after(() => socket.destroy());
  return socket;
};

/** All lines of the server, once it has closed its side. */
const answersOf = async (socket: Socket): Promise<readonly unknown[]> => {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));
};

const said = async (t: TestContext, at: Opened, bytes: string): Promise<readonly unknown[]> => {
  const socket = await connected(t, at);
  socket.write(bytes);
  return answersOf(socket);
};

const ask = async (t: TestContext, at: Opened, verb: string, given = {}): Promise<VerbOutcome> => {
  const progress = (): void => undefined;
  const call = { progress, signal: new AbortController().signal };
  return askDoor(await connected(t, at), { verb, arguments: given }, call);
};

const refusal = (code: keyof typeof doorRefusals) => ({ refusal: code, text: doorRefusals[code] });

const echo = declareVerb({
  name: 'say',
  access: 'read',
  says: 'Say it.',
  arguments: {
    word: { kind: 'text', says: 'a word', placeholder: 'word', unitsMax: 5, required: true },
    times: { kind: 'number', says: 'how often', max: 3 },
    loud: { kind: 'flag', says: 'loud' },
  },
  folders: 'option',
  running: (_, { word, times = 1, loud }, { progress }) => {
    progress('half way');
    return Promise.resolve(done((loud ? word.toUpperCase() : word).repeat(times), 1));
  },
  stopped: 'not here',
});

/** A write that ends when the test says so. */
const slowWrite = (name: string, work: () => Promise<void>): Verb =>
  declareVerb({
    ...{ name, access: 'write', says: 'Write.', arguments: {}, folders: 'option', stopped: 'not here' },
    running: () => work().then(() => done(name)),
  });

describe("the operator's door", () => {
  it('carries a verb out, with progress, and gives its text and exit code', async (t) => {
    const at = await opened(t, [echo]);
    const line = '{"verb":"say","arguments":{"word":"tea","times":2,"loud":true}}\nmore that is dropped';
    assert.deepEqual(await said(t, at, line), [{ progress: 'half way' }, { result: 'TEATEA', exitCode: 1 }]);
  });

  it('answers a client that closes its side after the request', async (t) => {
    const socket = await connected(t, await opened(t, [echo]));
    socket.end('{"verb":"say","arguments":{"word":"tea"}}\n');
    assert.deepEqual((await answersOf(socket)).at(-1), { result: 'tea', exitCode: 1 });
  });

  for (const foreign of [
    'GET / HTTP/1.1\r\n',
    '\n',
    '[]\n',
    '{"verb":7}\n',
    '{"verb":"say","arguments":[]}\n',
    '{"verb":"say","more":1}\n',
    '\xff\xfe\n',
    `${'['.repeat(60_000)}\n`,
  ]) {
    it(`refuses a foreign line, and goes on: ${JSON.stringify(foreign.slice(0, 40))}`, async (t) => {
      const at = await opened(t, [echo]);
      assert.deepEqual(await said(t, at, foreign), [refusal('MALFORMED_LINE')]);
      assert.equal((await ask(t, at, 'say', { word: 'tea' })).status, 'done');
    });
  }

  for (const [given, says] of [
    [{}, 'word: is missing'],
    [{ word: 7 }, 'word: must be a text'],
    [{ word: 'coffee' }, 'word: must have at most 5 UTF-16 units'],
    [{ word: 'tea', times: 4 }, 'times: must be a whole number from 0 to 3'],
    [{ word: 'tea', times: 0.5 }, 'times: must be a whole number from 0 to 3'],
    [{ word: 'tea', loud: 'yes' }, 'loud: must be true or false'],
    [{ word: 'tea', toString: 1 }, 'there is no argument "toString"'],
  ] as const) {
    it(`refuses arguments of another form: ${says}`, async (t) => {
      const outcome = await ask(t, await opened(t, [echo]), 'say', given);
      assert.deepEqual(outcome, { status: 'refused', code: 'BAD_ARGUMENTS', text: says });
    });
  }

  it('refuses a verb that it does not know, and one that throws', async (t) => {
    const broken = slowWrite('break', () => Promise.reject(new Error('broken')));
    const at = await opened(t, [broken]);
    assert.deepEqual(await said(t, at, '{"verb":"constructor"}\n'), [refusal('UNKNOWN_VERB')]);
    assert.deepEqual(await said(t, at, '{"verb":"break"}\n'), [refusal('FAILED')]);
    assert.match(String(at.failures), /broken/);
  });

  it('reads no more of a line than its bound', async (t) => {
    const at = await opened(t, [echo]);
    assert.deepEqual(await said(t, at, 'x'.repeat(requestLineBytesMax)), [refusal('LINE_TOO_LONG')]);
    const read = lineReader(4);
    assert.deepEqual(
      ['ab', 'c\nde', 'f\n'].map((chunk) => read(Buffer.from(chunk))),
      [[], ['abc'], ['def']],
    );
    assert.equal(read(Buffer.from('abcd\n')), 'too long');
  });

  it('lets go of a client that says nothing, and of one that does not take its answer', async (t) => {
    const at = await opened(t, [echo]);
    const silent = await connected(t, at);
    await at.timers.passUntil(() => at.timers.waiting() === 1, 0);
    at.timers.pass(doorIdleMillisMax - 1);
    assert.equal(at.timers.waiting(), 1);
    at.timers.pass(1);
    assert.deepEqual(await answersOf(silent), [refusal('IDLE_TOO_LONG')]);
    silent.pause();
    at.timers.pass(doorIdleMillisMax);
    assert.equal(at.timers.waiting(), 0);
  });

  it('has so many places, and a newcomer is told when they are taken', async (t) => {
    const at = await opened(t, [echo]);
    const held = await Promise.all(Array.from({ length: doorConnectionsMax }, () => connected(t, at)));
    assert.deepEqual(await answersOf(await connected(t, at)), [refusal('TOO_MANY_CONNECTIONS')]);
    held[0]?.end('{"verb":"say","arguments":{"word":"tea"}}\n');
    assert.ok(held[0]);
    await answersOf(held[0]);
    await once(held[0], 'close');
    assert.equal((await ask(t, at, 'say', { word: 'tea' })).status, 'done');
  });

  it('carries writes out one after the other, and reads meanwhile', async (t) => {
    const [first, order] = [deferred<undefined>(), [] as string[]];
    const one = slowWrite('one', () => first.promise.then(() => void order.push('one')));
    const two = slowWrite('two', () => Promise.resolve(void order.push('two')));
    const at = await opened(t, [one, two, echo]);
    const asked = [ask(t, at, 'one'), ask(t, at, 'two')];
    assert.equal((await ask(t, at, 'say', { word: 'tea' })).status, 'done');
    assert.deepEqual(order, []);
    first.resolve(undefined);
    await Promise.all(asked);
    assert.deepEqual(order, ['one', 'two']);
  });

  it('begins no write while the server starts or stops, and waits for those under way', async (t) => {
    const [begun, work] = [deferred<undefined>(), deferred<undefined>()];
    const write = slowWrite('write', () => {
      begun.resolve(undefined);
      return work.promise;
    });
    const at = await opened(t, [write]);
    at.phase = 'starting';
    const tooEarly = await ask(t, at, 'write');
    assert.deepEqual(tooEarly, { status: 'refused', code: 'NOT_READY', text: 'the server is starting' });
    at.phase = 'running';
    const asked = ask(t, at, 'write');
    await begun.promise;
    let isQuiet = false;
    const quiet = at.door.quiesce().then(() => {
      isQuiet = true;
    });
    await new Promise(setImmediate);
    assert.equal(isQuiet, false);
    work.resolve(undefined);
    await quiet;
    assert.equal((await asked).status, 'done');
  });

  it('tells a command whose server dies that nobody knows what came of it', async (t) => {
    const never = slowWrite('never', () => new Promise(() => undefined));
    const at = await opened(t, [never]);
    const asked = ask(t, at, 'never');
    await at.timers.passUntil(() => at.timers.waiting() === 0, 0);
    at.door.close();
    await assert.rejects(asked, DoorUnanswered);
  });

  it('is given up when it says nothing, where that was asked for', async (t) => {
    const folder = freshFolder(t);
    const taken: Socket[] = [];
    const silent = await listenInFolder(folder, (socket) => void taken.push(socket));
    t.after(() => {
      silent.close();
      for (const socket of taken) socket.destroy();
    });
    const call = { progress: () => undefined, signal: new AbortController().signal };
    const asked = askDoor(await connected(t, { folder }), { verb: 'status', arguments: {} }, call, 20);
    await assert.rejects(asked, DoorUnanswered);
  });
});

describe('the socket in the data folder', () => {
  it('is for its owner alone', async (t) => {
    const { folder } = await opened(t, []);
    assert.equal(statSync(join(folder, 'admin.sock')).mode & 0o777, 0o600);
  });

  it(
    'works in a folder whose path is longer than the system takes',
    { skip: process.platform !== 'linux' },
    async (t) => {
      const folder = join(freshFolder(t), 'x'.repeat(120), 'y'.repeat(120));
      mkdirSync(folder, { recursive: true });
      const at = await opened(t, [echo], folder);
      assert.equal((await ask(t, at, 'say', { word: 'tea' })).status, 'done');
    },
  );

  it('takes the place of no file', async (t) => {
    const folder = freshFolder(t);
    writeFileSync(join(folder, 'admin.sock'), 'mine');
    await assert.rejects(
      listenInFolder(folder, () => undefined),
      SocketInTheWay,
    );
  });

  it('is none where there is no server, and no folder', async (t) => {
    const folder = freshFolder(t);
    assert.equal(await connectInFolder(folder), undefined);
    assert.equal(await connectInFolder(join(folder, 'none')), undefined);
  });
});

describe('the verbs', () => {
  it('each have a name and a row in docs/operating.md', () => {
    const names = verbs.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    const rows = [...textOf('docs/operating.md').matchAll(/^\| `osmium ([a-z ]+)` +\| (read|write) /gm)];
    assert.deepEqual(
      rows.map(([, name, access]) => `${name ?? ''} ${access ?? ''}`).sort(),
      verbs.map(({ name, access }) => `${name} ${access}`).sort(),
    );
  });

  it('have every refusal of the door in docs/errors.md, and no other', () => {
    const rows = [...textOf('docs/errors.md').matchAll(/^\| `([A-Z_]+)` *\| ([^|]+?) *\|$/gm)];
    assert.deepEqual(
      rows.map(([, code, text]) => [code, text]),
      Object.entries(doorRefusals),
    );
  });
});
