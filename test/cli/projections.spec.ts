import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { connect } from '../../src/client/client.js';
import { nodeSocket } from '../../src/client/nodeSocket.js';
import { foldersIn } from '../../src/engines.js';
import { freshFolder } from '../support/dataFolders.js';
import { testServer, type TestServer } from '../support/server.js';
import { digestsIn, first, lively, objectIn, on, second } from './projections.js';

/** Beside a running server, whose clients notice nothing. */
const switchedAndBack = async ({ dataDir, url, readiness }: TestServer): Promise<void> => {
  const bob = await connect({ url, openSocket: nodeSocket });
  await bob.signUp({ name: 'Bob' });
  let [isOver, seen] = [false, 0];
  const chat = async (): Promise<void> => {
    while (!isOver) {
      await bob.call('messages.sendMessage', { chatRef: { self: {} }, message: seen.toString() });
      const { messages } = await bob.call('messages.getHistory', { chatRef: { self: {} }, limit: 1 });
      assert.equal(messages[0]?.message, seen.toString());
      seen += 1;
    }
  };
  const chatting = chat();
  const verified = await on(dataDir, 'verify', '--generation', second, '--json').ended;
  assert.equal(verified.code, 0, verified.errors);
  const { isEqual, generations } = objectIn(verified.output);
  assert.deepEqual([isEqual, generations], [true, [first, second]]);
  const none = await on(dataDir, 'back').ended;
  assert.deepEqual([none.code, none.errors], [1, 'osmium: no other generation has served before\n']);
  const switched = await on(dataDir, 'switch', '--generation', second).ended;
  assert.deepEqual([switched.code, switched.output], [0, `${second} serves\n`]);
  const { generation, generations: open } = await readiness();
  assert.deepEqual(
    [generation, open.map(({ name, isServing }) => [name, isServing])],
    [
      second,
      [
        [second, true],
        [first, false],
      ],
    ],
  );
  const again = await on(dataDir, 'switch', '--generation', second).ended;
  assert.match(again.errors, /serves already/);
  const unknown = await on(dataDir, 'switch', '--generation', 'tea').ended;
  assert.match(unknown.errors, /there is no generation tea/);
  const back = await on(dataDir, 'back', '--json').ended;
  assert.deepEqual(objectIn(back.output), { generation: first, before: second, from: 'now' });
  isOver = true;
  await chatting;
  await bob.close();
  assert.ok(seen > 10);
};

describe('osmium projections', () => {
  it('builds beside a running server, tells of all generations, and drops none that serves', async (t) => {
    const server = await lively(t, 100);
    const { dataDir } = server;
    const taken = await on(dataDir, 'build').ended;
    assert.equal(taken.code, 1);
    assert.match(
      taken.errors,
      new RegExp(`^osmium: the generation ${first} is in use by process ${process.pid.toString()}`),
    );
    const built = await on(dataDir, 'build', '--anew', '--json').ended;
    assert.equal(built.code, 0, built.errors);
    assert.match(built.errors, new RegExp(`^${second}: \\d+ %, \\d+ events/s`));
    const { generation, ended, percent } = objectIn(built.output);
    assert.deepEqual([generation, ended, percent], [second, 'built', 100]);

    const told = objectIn((await on(dataDir, 'status', '--json').ended).output);
    assert.deepEqual(
      (told['generations'] as readonly { name: string; isServing: boolean; position: string }[]).map(
        ({ name, isServing, position }) => [name, isServing, position === told['end']],
      ),
      [
        [first, true, true],
        [second, false, true],
      ],
    );
    assert.match((await on(dataDir, 'status').ended).output, new RegExp(`^${first}  serves, at \\d+, \\d+ types`));
    const refused = await on(dataDir, 'drop', '--generation', first).ended;
    assert.deepEqual(
      [refused.code, refused.errors],
      [1, `osmium: the generation ${first} serves, and is not dropped\n`],
    );
    const unknown = await on(dataDir, 'drop', '--generation', 'tea').ended;
    assert.deepEqual([unknown.code, unknown.errors], [1, 'osmium: there is no generation tea\n']);
    await switchedAndBack(server);
    const former = await on(dataDir, 'drop', '--generation', 'former').ended;
    assert.match(former.errors, /there are no documents of a release without generations/);

    await server.close();
    const [one, other] = await digestsIn(dataDir);
    assert.deepEqual(other?.digests, one?.digests);
    const dropped = await on(dataDir, 'drop', '--generation', second).ended;
    assert.deepEqual([dropped.code, dropped.output], [0, `${second} is gone\n`]);
    assert.equal(existsSync(join(foldersIn(dataDir).documents, second)), false);
  });

  it('follows until it is stopped, refuses a second builder by name, and leaves what a server then serves', async (t) => {
    const server = await lively(t, 50);
    const { dataDir } = server;
    const following = on(dataDir, 'build', '--anew', '--follow', '--json');
    await following.prints(/: 100 %/);
    const second_ = await on(dataDir, 'build').ended;
    assert.match(second_.errors, new RegExp(`the generation ${second} is in use by process \\d+: stop that one first`));
    following.stop('SIGINT');
    const { code, output } = await following.ended;
    assert.deepEqual([code, objectIn(output)['ended']], [0, 'stopped']);
    await server.close();
    const differs = await on(dataDir, 'verify', '--generation', second).ended;
    assert.match(
      differs.errors,
      new RegExp(`${second} is behind: it is at \\d+, and the other one is at \\d+; build it`),
    );
    const behind = await on(dataDir, 'switch', '--generation', second).ended;
    // A server that stops writes the last count of its keys.
    assert.match(
      behind.errors,
      new RegExp(`${second} is behind: it is at \\d+, and ${first} serves at \\d+; build it`),
    );
    assert.equal((await on(dataDir, 'build').ended).code, 0);
    const unknown = await on(dataDir, 'switch', '--generation', 'tea').ended;
    assert.match(unknown.errors, /there is no generation tea/);
    const verified = await on(dataDir, 'verify', '--generation', second).ended;
    assert.match(verified.output, new RegExp(`^${first} and ${second} hold the same: \\d+ documents of \\d+ types`));
    const switched = await on(dataDir, 'switch', '--generation', second).ended;
    assert.deepEqual([switched.code, switched.output], [0, `${second} serves from the next start on\n`]);
    const again = await testServer({ dataDir });
    const { ready, generation } = await again.readiness();
    assert.deepEqual([ready, generation], [true, second]);
    await again.close();
    const dropped = await on(dataDir, 'drop', '--generation', second).ended;
    assert.match(dropped.errors, /serves, and is not dropped/);
    assert.equal((await on(dataDir, 'build', '--generation', first).ended).code, 0);
    assert.equal((await on(dataDir, 'switch', '--generation', first).ended).code, 0);
    const strange = await on(dataDir, 'build', '--generation', 'tea').ended;
    assert.match(strange.errors, /the build of tea was stopped: this release has no generation of that name/);
  });

  it('drops the generation that served first with all that works on it', async (t) => {
    const troubles: string[] = [];
    const write = (line: string): number => troubles.push(line);
    const server = await lively(t, 1, { logger: pino({ level: 'warn' }, { write }) });
    const { dataDir, url } = server;
    assert.equal((await on(dataDir, 'build', '--anew').ended).code, 0);
    assert.equal((await on(dataDir, 'switch', '--generation', second).ended).code, 0);
    const dropped = await on(dataDir, 'drop', '--generation', first).ended;
    assert.deepEqual([dropped.output, dropped.errors], [`${first} is gone\n`, '']);
    const ada = await connect({ url, openSocket: nodeSocket });
    await ada.signUp({ name: 'Ada' });
    const chatRef = { self: {} };
    const { messageId } = await ada.call('messages.sendMessage', { chatRef, message: 'It goes again.' });
    await ada.call('reactions.addReaction', { chatRef, messageId, emoji: { unicodeEmoji: '👍' } });
    await ada.call('messages.deleteMessage', { chatRef, messageIds: [messageId] });
    await ada.close();
    await server.close();
    assert.deepEqual(
      troubles.filter((line) => !/rate limits are off|made a master key/.test(line)),
      [],
    );
  });

  it('refuses a share of nothing, and a folder without a log, where it makes nothing', async (t) => {
    const dataDir = freshFolder(t);
    const nothing = await on(dataDir, 'build', '--share', '0').ended;
    assert.deepEqual([nothing.code, nothing.errors], [1, 'osmium: share: must be a whole number from 1 to 100\n']);
    const nobody = await on(dataDir, 'build', '--workers', '0').ended;
    assert.deepEqual([nobody.code, nobody.errors], [1, 'osmium: workers: must be a whole number from 1 to 16\n']);
    const several = await on(dataDir, 'build', '--workers', '2', '--module', 'activity.js').ended;
    assert.match(several.errors, /^osmium: workers: a projection of your own has one process/);
    const missing = await on(dataDir, 'build').ended;
    assert.equal(missing.code, 1);
    assert.match(missing.errors, /^osmium: there is no log in /);
    assert.equal(existsSync(foldersIn(dataDir).documents), false);
  });
});
