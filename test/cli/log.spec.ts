import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Client } from '../../src/client/client.js';
import { clientOf } from '../client/fakeServer.js';
import { testServer, type TestServer } from '../support/server.js';
import { osmium, type Run } from './osmium.js';

type Scene = { readonly server: TestServer; readonly client: Client };

/** A server with somebody on it who has written some messages. It goes on running. */
const scene = async (t: TestContext): Promise<Scene> => {
  const server = await testServer();
  t.after(() => server.remove());
  const client = await clientOf(t, server);
  await client.signUp({ name: 'Ada' });
  for (const text of ['a secret', 'another', 'the last']) await say(client, text);
  return { server, client };
};

const say = (client: Client, message: string) =>
  client.call('messages.sendMessage', { chatRef: { self: {} }, message });

const logOf = ({ server }: Scene, ...args: readonly string[]): Run =>
  osmium(['log', ...args], { OSMIUM_DATA_DIR: server.dataDir });

const linesOf = async (run: Run): Promise<readonly string[]> => {
  const { code, output, errors } = await run.ended;
  assert.deepEqual([code, errors], [0, '']);
  return output.split('\n').slice(0, -1);
};

describe('osmium log tail', () => {
  it('prints one event per line beside a running server, and seals stay closed', async (t) => {
    const made = await scene(t);
    const [all, two, after, json] = await Promise.all(
      [['tail'], ['tail', '--limit', '2'], ['tail', '--from', '2', '--limit', '1'], ['tail', '--json', '--limit', '1']]
        .map((args) => logOf(made, ...args))
        .map(linesOf),
    );
    assert.ok(all !== undefined && all.length > 5);
    assert.deepEqual(two, all.slice(-2));
    assert.deepEqual(after, all.slice(2, 3));
    assert.match(
      all.at(-1) ?? '',
      /^\d+ 20\d\d-\d\d-\d\dT[\d:.]+Z messages\.MessageSent\.v1 message-\d+@0 \{.*"sealed":"‹sealed, \d+ bytes›"\}$/,
    );
    assert.doesNotMatch(all.join('\n'), /secret|Ada/);
    const last = JSON.parse(json?.[0] ?? '') as Readonly<Record<string, unknown>>;
    assert.deepEqual(
      ['position', 'revision', 'type'].map((name) => last[name]),
      [all.length.toString(), '0', 'messages.MessageSent.v1'],
    );
  });

  it('follows what happens until it is told to stop', async (t) => {
    const made = await scene(t);
    const run = logOf(made, 'tail', '--follow', '--limit', '1');
    await run.prints(/MessageSent/);
    const { messageId } = await say(made.client, 'one more');
    await run.prints(new RegExp(`message-${messageId.toString()}@0`));
    run.stop('SIGINT');
    assert.equal((await linesOf(run)).length, 2);
  });

  it('prints of a log that nobody has used whose it is, how many keys there are, and since when days are counted', async (t) => {
    const server = await testServer();
    t.after(() => server.remove());
    const run = osmium(['log', 'tail'], { OSMIUM_DATA_DIR: server.dataDir });
    const types = (await linesOf(run)).map((line) => line.split(' ')[2]);
    assert.deepEqual(types, [
      'deployments.DeploymentNamed.v1',
      'deployments.KeysCounted.v1',
      'deployments.DaysCounted.v1',
    ]);
  });
});

describe('osmium log stats', () => {
  it('counts events, streams and types', async (t) => {
    const made = await scene(t);
    // Two markers in one chat leave one event of one stream.
    for (const text of ['first', 'second']) {
      const { messageId } = await say(made.client, text);
      await made.client.call('chats.markChatRead', { chatRef: { self: {} }, messageId });
    }
    const lines = await linesOf(logOf(made, 'stats'));
    const numberOf = (name: string): number =>
      Number(new RegExp(`^${name} +(\\d+)`).exec(lines.find((line) => line.startsWith(name)) ?? '')?.[1]);
    const events = await linesOf(logOf(made, 'tail', '--from', '0'));
    const streams = new Set(events.map((line) => / (\S+)@\d+ \{/.exec(line)?.[1]));
    assert.equal(numberOf('messages.MessageSent.v1'), 5);
    assert.equal(numberOf('reads.MarkerMoved.v1'), 1);
    assert.equal(numberOf('events'), events.length);
    assert.equal(numberOf('streams'), streams.size);
    assert.ok(numberOf('on disk') > 0);
  });
});
