import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join as joined } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { objectIn, on } from '../cli/projections.js';
import { osmium } from '../cli/osmium.js';
import { found as foundIn, leftIn } from '../support/byteSearch.js';
import { freshFolder } from '../support/dataFolders.js';
import { testServer } from '../support/server.js';
import { activity, linesIn, settled, started, talk } from './ownProjections.js';

const moduleIn = (t: TestContext, name: string, fold: string): string => {
  const file = joined(freshFolder(t), `${name}.mjs`);
  const text = `export const projection = { name: '${name}', version: 1, documents: { ${name}Notes: {
    keys: { MessageSent: ({ data }) => [data.text.sealed ? 'sealed' : data.text] },
    fold: { MessageSent: (document, { data, position }) => { ${fold} } },
    indexes: { byText: ({ text }) => [[String(text)]] },
  } } };`;
  writeFileSync(file, text);
  return file;
};

describe('projections of your own', () => {
  it('are followed, read by key and index, built beside, verified, switched and dropped', async (t) => {
    const server = await started(t, { OSMIUM_PROJECTIONS: activity });
    const { dataDir } = server;
    await talk(server, ['one', 'two', 'three']);
    await settled(server, 'activity');
    const all = await on(dataDir, 'read', 'activity').ended;
    assert.equal(all.code, 0, all.errors);
    const [day] = linesIn(all.output);
    assert.ok(day);
    assert.equal(day.document['messages'], 3);
    for (const wish of [
      ['--key', day.key],
      ['--index', `byDay=${String(day.document['day'])}`],
      ['--index', `byChannel=${JSON.stringify([day.document['channel'], day.document['day']])}`],
    ]) {
      assert.deepEqual(linesIn((await on(dataDir, 'read', 'activity', ...wish).ended).output), [day]);
    }
    assert.deepEqual(linesIn((await on(dataDir, 'read', 'activity', '--index', 'byDay=1970-01-01').ended).output), []);
    const unknown = await on(dataDir, 'read', 'tea').ended;
    assert.match(unknown.errors, /there is no projection tea of your own, but activity/);
    const bare = await on(dataDir, 'read', 'activity', '--index', 'tea=1').ended;
    assert.match(bare.errors, /activity has the indexes byDay, byChannel/);

    const build = () =>
      osmium(['projections', 'build', '--module', activity, '--anew', '--json'], { OSMIUM_DATA_DIR: dataDir }).ended;
    const built = await build();
    assert.equal(built.code, 0, built.errors);
    const second = String(objectIn(built.output)['generation']);
    const first = second.replace(/_2$/, '_1');
    const verified = await on(dataDir, 'verify', '--generation', second, '--json').ended;
    assert.deepEqual([verified.code, objectIn(verified.output)['isEqual']], [0, true], verified.errors);
    const back = () => on(dataDir, 'back', '--projection', 'activity').ended;
    assert.equal((await back()).errors, 'osmium: no other generation has served before\n');
    assert.equal((await on(dataDir, 'switch', '--generation', second).ended).output, `${second} serves\n`);
    assert.equal((await back()).output, `${first} serves\n`);
    assert.match((await on(dataDir, 'back', '--projection', 'tea').ended).errors, /no projection tea of your own/);
    assert.equal((await on(dataDir, 'switch', '--generation', second).ended).output, `${second} serves\n`);
    await talk(server, ['four']);
    assert.equal(linesIn((await on(dataDir, 'read', 'activity').ended).output).length, 2);
    const status = await on(dataDir, 'status').ended;
    assert.match(status.output, new RegExp(`${second}  of activity, serves, at \\d+`));
    assert.equal((await on(dataDir, 'drop', '--generation', first).ended).output, `${first} is gone\n`);
    const again = await server.restarted();
    t.after(() => again.close());
    assert.equal((await settled(again, 'activity'))?.generation, second);
  });

  it('are read, switched back, listed and dropped where no server runs', async (t) => {
    const server = await started(t, { OSMIUM_PROJECTIONS: activity });
    const { dataDir } = server;
    await talk(server, ['one', 'two', 'three']);
    await settled(server, 'activity');
    const served = await on(dataDir, 'read', 'activity').ended;
    await server.close();
    const stopped = (...args: readonly string[]) =>
      osmium(['projections', ...args], { OSMIUM_DATA_DIR: dataDir, OSMIUM_PROJECTIONS: activity }).ended;
    const read = await stopped('read', 'activity');
    assert.deepEqual([read.code, read.output], [0, served.output], read.errors);
    const built = await stopped('build', '--module', activity, '--anew', '--json');
    const second = String(objectIn(built.output)['generation']);
    const first = second.replace(/_2$/, '_1');
    // The last event of a server is its count of keys, which comes when modules are closed already.
    assert.match((await stopped('verify', '--generation', second)).errors, new RegExp(`${first} is behind`));
    assert.equal((await stopped('build', '--module', activity, '--generation', first)).code, 0);
    const verified = await stopped('verify', '--generation', second);
    assert.equal(verified.code, 0, verified.errors);
    const switched = await stopped('switch', '--generation', second);
    assert.equal(switched.output, `${second} serves from the next start on\n`, switched.errors);
    const back = await stopped('back', '--projection', 'activity');
    assert.equal(back.output, `${first} serves from the next start on\n`, back.errors);
    assert.match((await stopped('status')).output, new RegExp(`${first}  of activity, serves, at \\d+`));
    assert.match((await stopped('drop', '--generation', first)).errors, /serves, and is not dropped/);
    assert.match((await stopped('read', 'tea')).errors, /there is no projection tea of your own, but activity/);

    // The operator has taken the module out of the configuration.
    assert.match(
      (await on(dataDir, 'status').ended).output,
      new RegExp(`${first}  of activity, which is not configured`),
    );
    assert.match((await on(dataDir, 'read', 'activity').ended).errors, /no projection activity of your own, but none/);
    const missing = joined(freshFolder(t), 'missing.mjs');
    const unsure = { OSMIUM_DATA_DIR: dataDir, OSMIUM_PROJECTIONS: missing };
    const kept = await osmium(['projections', 'drop', '--generation', first], unsure).ended;
    assert.match(kept.errors, /missing\.mjs has not loaded, and may be the module of that generation/);
    for (const one of [first, second])
      assert.equal((await on(dataDir, 'drop', '--generation', one).ended).output, `${one} is gone\n`);
    assert.doesNotMatch((await on(dataDir, 'status').ended).output, /activity/);
    assert.match((await stopped('read', 'activity')).errors, /activity has no documents yet/);
  });

  it('of a module that is not configured any more are listed and dropped beside a running server', async (t) => {
    const server = await started(t, { OSMIUM_PROJECTIONS: activity });
    const { dataDir } = server;
    await settled(server, 'activity');
    await server.close();
    const without = await testServer({ dataDir });
    t.after(() => without.close());
    const [, generation = ''] =
      /^(\S+) {2}of activity, which is not configured/m.exec((await on(dataDir, 'status').ended).output) ?? [];
    assert.equal((await on(dataDir, 'drop', '--generation', generation).ended).output, `${generation} is gone\n`);
    assert.doesNotMatch((await on(dataDir, 'status').ended).output, /activity/);
  });

  it('stop by themselves, one by one, with their names, while the server serves; the next start tries again', async (t) => {
    const bad = moduleIn(t, 'bad', 'if (document) throw new Error("not twice"); return { text: "x" };');
    const loop = moduleIn(t, 'loop', 'for (;;);');
    const missing = joined(freshFolder(t), 'missing.mjs');
    const server = await started(t, { OSMIUM_PROJECTIONS: [bad, loop, missing, activity].join(',') });
    await talk(server, ['one', 'two']);
    const looped = settled(server, 'loop');
    assert.match((await settled(server, 'bad'))?.stopped ?? '', /Error: not twice/);
    assert.match((await settled(server, 'missing.mjs'))?.stopped ?? '', /missing\.mjs does not load/);
    assert.equal((await settled(server, 'activity'))?.stopped, null);
    const { ready, own } = await server.readiness();
    assert.deepEqual([ready, own.length], [true, 4]);
    assert.match((await looped)?.stopped ?? '', /loop\.mjs took longer than 10 s/);
    await talk(server, ['three']);
    const { dataDir } = server;
    const read = await on(dataDir, 'read', 'bad').ended;
    assert.match(read.errors, /bad is at \d+: it has stopped: Error: not twice/);
    assert.equal(linesIn(read.output).length, 1);
    const metrics = await server.metrics();
    assert.match(metrics, /osmium_own_projection_stopped\{projection="bad"\} 1/);
    assert.match(metrics, /osmium_own_projection_stopped\{projection="activity"\} 0/);
    assert.match((await on(dataDir, 'status').ended).output, /bad has STOPPED: Error: not twice/);
    assert.match((await osmium(['status', '--data-dir', dataDir]).ended).output, /own bad\s+STOPPED: Error: not twice/);
    writeFileSync(bad, moduleTextOf(bad));
    const again = await server.restarted();
    t.after(() => again.close());
    assert.equal((await settled(again, 'bad'))?.stopped, null);
  });

  it('are given personal content only where that is opened, and it is nowhere in the clear then', async (t) => {
    const secret = 'qzmwxkvbnhtyrplsdfgjcaeu';
    const notes = 'return { text: data.text.sealed ? "sealed" : data.text };';
    const environment = {
      OSMIUM_PROJECTIONS: [moduleIn(t, 'closed', notes), moduleIn(t, 'opened', notes)].join(','),
      OSMIUM_PROJECTIONS_OPEN: 'opened',
    };
    const server = await started(t, environment);
    const { dataDir } = server;
    await talk(server, [secret]);
    for (const name of ['closed', 'opened']) assert.equal((await settled(server, name))?.stopped, null);
    const closed = linesIn((await on(dataDir, 'read', 'closed').ended).output);
    assert.deepEqual(
      closed.map(({ key, document }) => [key, document]),
      [['sealed', { text: 'sealed' }]],
    );
    for (const wish of [[], ['--key', secret], ['--index', `byText=${secret}`]]) {
      const [one] = linesIn((await on(dataDir, 'read', 'opened', ...wish).ended).output);
      assert.deepEqual([one?.key, one?.document], [secret, { text: secret }]);
    }
    const refused = await osmium(
      ['projections', 'build', '--module', environment.OSMIUM_PROJECTIONS.split(',')[1] ?? ''],
      {
        ...{ OSMIUM_DATA_DIR: dataDir, OSMIUM_PROJECTIONS_OPEN: 'opened' },
      },
    ).ended;
    assert.match(refused.errors, /given personal content open, and only the server has the keys/);
    await server.close();
    const key = ['projections', 'read', 'opened', '--key', secret];
    const [left] = linesIn((await osmium(key, { OSMIUM_DATA_DIR: dataDir, ...environment }).ended).output);
    assert.deepEqual(left?.document, { text: secret });
    assert.deepEqual(foundIn([secret], leftIn(dataDir)), []);
  });
});

/** The same without its fault. */
const moduleTextOf = (file: string): string => {
  const text = readFileSync(file, 'utf8');
  return text.replace('throw new Error("not twice");', 'return { text: "y" };');
};
