import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { chat, type ChatOptions } from '../../src/cli/chat.js';
import { testServer, type TestServer } from '../support/server.js';

/** Somebody at a keyboard. */
interface Person {
  press(keys: string): void;
  type(line: string): void;
  /** The first match in what is on the screen, come or coming. */
  sees(pattern: RegExp): Promise<string>;
  screen(): string;
  readonly left: Promise<void>;
}

const served = async (t: TestContext): Promise<TestServer> => {
  const server = await testServer();
  t.after(() => server.remove());
  return server;
};

const person = (options: Omit<ChatOptions, 'input' | 'output'>, terminal: object = {}): Person => {
  const input = new PassThrough();
  const output = Object.assign(new PassThrough(), terminal);
  let screen = '';
  const looking = new Set<() => void>();
  output.on('data', (data: Buffer) => {
    // Escapes become visible, and can be looked for.
    screen += data.toString().replaceAll('\u001b', '␛');
    for (const look of looking) look();
  });
  const left = chat({ ...options, input, output });
  left.catch(() => undefined);
  return {
    press: (keys) => input.write(keys),
    type: (line) => input.write(`${line}\n`),
    sees: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(screen);
          if (found !== null) resolve(found[1] ?? found[0]);
        };
        looking.add(look);
        look();
        left.then(
          () => reject(new Error(`left without ${pattern.source}: ${screen}`)),
          (error: unknown) => reject(error as Error),
        );
      }),
    screen: () => screen,
    left,
  };
};

describe('a chat in the terminal', () => {
  it('is for two who meet by an invite', async (t) => {
    const { url } = await served(t);
    const ada = person({ url, name: 'Ada' });
    const bob = person({ url, name: 'Bob' });
    // All of it at once, as from a pipe: nothing that is typed early is lost.
    for (const line of ['/create The Town', '/invite']) ada.type(line);
    bob.type(await ada.sees(/\/join (\w+)$/m).then((code) => `/join ${code}`));
    await bob.sees(/in The Town # general/);
    bob.type('hello');
    await ada.sees(/\d\d:\d\d Bob: hello/);
    ada.type('/dm bob');
    ada.type('psst');
    await bob.sees(/Ada \(to you\): psst/);
    bob.type('/members');
    await bob.sees(/Ada {2}\d+/);
    for (const one of [ada, bob]) one.type('/quit');
    await Promise.all([ada.left, bob.left]);
    assert.match(ada.screen(), /\d\d:\d\d you: psst/);
  });

  it('says what is refused or makes no sense, and goes on', async (t) => {
    const { url } = await served(t);
    const ada = person({ url, name: 'Ada' });
    for (const line of ['/join nonsense', '/tea', '/open 3', '/dm Nobody', '/invite', 'hello?', '/help'])
      ada.type(line);
    await ada.sees(/Anything else/);
    ada.type('/quit');
    await ada.left;
    const complaints = ada.screen().match(/^! .*$/gm);
    assert.deepEqual(
      complaints?.map((line) => line.slice(0, 22)),
      [
        '! auth.useInvite: the ',
        '! there is no /tea: /h',
        '! the list has no such',
        '! nobody by the name o',
        '! enter a channel firs',
        '! enter a chat first: ',
      ],
    );
  });

  it('keeps who one is in a file that is for nobody else', async (t) => {
    const { url } = await served(t);
    const folder = mkdtempSync(join(tmpdir(), 'osmium-chat-'));
    t.after(() => {
      rmSync(folder, { recursive: true });
    });
    const tokenFile = join(folder, 'token');
    const ids: string[] = [];
    for (const name of ['Ada', 'Grace']) {
      const one = person({ url, name, tokenFile });
      ids.push(await one.sees(/you are Ada, id (\d+)/));
      one.type('/quit');
      await one.left;
    }
    assert.equal(ids[0], ids[1]);
    assert.equal(statSync(tokenFile).mode & 0o777, 0o600);
    assert.ok(readFileSync(tokenFile, 'utf8').length > 20);
    writeFileSync(tokenFile, 'something else');
    await assert.rejects(person({ url, name: 'Ada', tokenFile }).left, /the token in .* is refused/);
  });

  it('lets nobody write to the terminal of another', async (t) => {
    const { url } = await served(t);
    const ada = person({ url, name: 'Ada' });
    ada.type('/dm Ada');
    ada.type('red \u001b[31m and \u202e reversed');
    await ada.sees(/you: red \ufffd\[31m and \ufffd reversed/);
    ada.type('/quit');
    await ada.left;
  });

  it('shows what was missed while the server was away', async (t) => {
    const before = await testServer();
    const ada = person({ url: before.url, name: 'Ada' });
    ada.type('/dm Ada');
    ada.type('before');
    await ada.sees(/you: before/);
    await before.close();
    await ada.sees(/connection is lost/);
    const after = await testServer({ dataDir: before.dataDir, environment: { OSMIUM_PORT: before.port.toString() } });
    t.after(() => after.remove());
    ada.type('after');
    await ada.sees(/connected again/);
    await ada.sees(/you: after/);
    ada.type('/quit');
    await ada.left;
    assert.equal(ada.screen().match(/you: (before|after)/g)?.length, 2);
  });

  it('leaves what is being typed as it is', async (t) => {
    const { url } = await served(t);
    const ada = person({ url, name: 'Ada' }, { isTTY: true, columns: 80 });
    const bob = person({ url, name: 'Bob' });
    const id = await ada.sees(/you are Ada, id (\d+)/);
    ada.press('/dm someb');
    bob.type(`/dm ${id}`);
    bob.type('hello');
    // Back to the first column, all that follows cleared, the line, and the prompt with what has been typed.
    await ada.sees(/␛\[1G␛\[0J\d\d:\d\d Bob \(to you\): hello\n[^\n]*> \/dm someb/);
    ada.press('ody\n');
    await ada.sees(/nobody by the name of somebody/);
    for (const one of [ada, bob]) one.type('/quit');
    await Promise.all([ada.left, bob.left]);
  });

  it('takes a message off the line on which it was typed, and shows it as the server has it', async (t) => {
    const { url } = await served(t);
    const ada = person({ url, name: 'Ada' }, { isTTY: true, columns: 20 });
    await ada.sees(/you are Ada/);
    ada.type('/dm Ada');
    await ada.sees(/in your own notes/);
    ada.type('a message of two rows');
    // Two rows up: prompt and text are longer than one.
    await ada.sees(/␛\[2A␛\[1G␛\[0J[^]*\d\d:\d\d you: a message of two rows\n/);
    ada.type('/quit');
    await ada.left;
  });

  it('finds its way on a terminal that does not know how wide it is', async (t) => {
    const { url } = await served(t);
    const ada = person({ url, name: 'Ada' }, { isTTY: true, columns: 0 });
    await ada.sees(/you are Ada/);
    ada.type('/dm Ada');
    await ada.sees(/in your own notes/);
    ada.type('a message');
    await ada.sees(/␛\[1A␛\[1G␛\[0J[^]*\d\d:\d\d you: a message\n/);
    ada.type('/quit');
    await ada.left;
  });
});
