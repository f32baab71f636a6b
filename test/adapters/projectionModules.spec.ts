import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { describe, it, type TestContext } from 'node:test';
import { startModule } from '../../src/adapters/projectionModules/process.js';
import type { ModuleDocument, ProjectionModule } from '../../src/kernel/ports/projectionModule.js';
import { freshFolder } from '../support/dataFolders.js';

const bounds = { callMillisMax: 4_000, mebibytesMax: 48 };

/** A module whose one fold is the expression, of `document`, `event` and `key`. */
const moduleWith = (fold: string, before = ''): string => `${before}
  export const projection = {
    name: 'tally', version: 3,
    documents: { counts: {
      keys: { MessageSent: ({ data }) => [data.chat] },
      fold: { MessageSent: (document, event, key) => ${fold} },
      indexes: { byCount: ({ count }) => [[count]] },
    } },
  };`;
const counting = '({ count: (document?.count ?? 0) + 1, key })';

const started = async (t: TestContext, text: string): Promise<ProjectionModule> => {
  const file = join(freshFolder(t), 'tally.mjs');
  writeFileSync(file, text);
  const module = await startModule(file, bounds);
  t.after(() => module.close());
  return module;
};

const sent = (position: number, chat = 'channel.1.2') => ({
  ...{ type: 'MessageSent', position: position.toString(), data: { chat } },
});
const none: ModuleDocument = ['counts', 'channel.1.2', '0', null];

const folded = async (module: ProjectionModule) => {
  await module.keysOf([sent(1)]);
  return module.fold({ from: 0, to: 1 }, [none]);
};

describe('a module in a process of its own', () => {
  it('says what it is, names documents, and folds events into them, each event once', async (t) => {
    const module = await started(t, moduleWith(counting, 'console.log("the log of a module");'));
    assert.deepEqual(module.declared, {
      ...{ name: 'tally', version: 3 },
      types: [{ name: 'counts', facts: ['MessageSent'], indexes: ['byCount'] }],
    });
    const { keys } = await module.keysOf([sent(4), sent(6), sent(9)]);
    assert.deepEqual(
      keys,
      Array.from({ length: 3 }, () => [['counts', 'channel.1.2']]),
    );
    const { documents } = await module.fold({ from: 0, to: 3 }, [['counts', 'channel.1.2', '4', { count: 7 }]]);
    assert.deepEqual(documents, [['counts', 'channel.1.2', 2, { count: 9, key: 'channel.1.2' }, { byCount: [[9]] }]]);
  });

  it('gets nothing of the environment of the server', async (t) => {
    process.env['OSMIUM_SECRET_OF_A_TEST'] = 'mongodb://user:password@host';
    t.after(() => delete process.env['OSMIUM_SECRET_OF_A_TEST']);
    const module = await started(t, moduleWith('({ count: 1, names: Object.keys(process.env) })'));
    const { documents } = await folded(module);
    assert.doesNotMatch(JSON.stringify(documents), /OSMIUM/);
  });

  const refused: Readonly<Record<string, readonly [string, RegExp]>> = {
    'a fold that throws': ['{ throw new TypeError("no such thing") }', /TypeError: no such thing/],
    'what is no document': ['[1]', /a document must be a plain object/],
    'a document of other things': ['({ count: 1, when: new Date() })', /must be made of texts, finite numbers/],
    'a number that JSON has not': ['({ count: NaN })', /must be made of texts, finite numbers/],
    'a document that is too large': ['({ count: 1, text: "x".repeat(40_000) })', /at most 32768 bytes/],
    'a document that is too deep': [
      '{ let deep = {}; for (let at = 0; at < 99; at += 1) deep = { deep }; return { count: 1, deep }; }',
      /at most 32 levels deep/,
    ],
    'an index that is none': ['({ count: { no: 1 } })', /a key of the index byCount must be a list of texts/],
    'a change to what it was given': ['{ event.data.chat = "other"; return document; }', /TypeError: Cannot assign/],
  };
  for (const [what, [fold, why]] of Object.entries(refused)) {
    it(`is refused ${what}, with what was folded before`, async (t) => {
      const module = await started(t, moduleWith(`event.position === "1" ? ${counting} : (() => ${fold})()`));
      await module.keysOf([sent(1), sent(2), sent(3)]);
      const { documents, refused: found } = await module.fold({ from: 0, to: 3 }, [none]);
      assert.equal(found?.event, 1);
      assert.match(found.why, why);
      assert.deepEqual(documents, [['counts', 'channel.1.2', 0, { count: 1, key: 'channel.1.2' }, { byCount: [[1]] }]]);
    });
  }

  it('is refused keys that are none, or too many', async (t) => {
    const text = moduleWith(counting).replace('[data.chat]', 'data.keys');
    const module = await started(t, text);
    const many = Array.from({ length: 101 }, (_, number) => number.toString());
    for (const [keys, why] of [
      [[7], /a key must be a text/],
      ['tea', /must be a list/],
      [many, /may be folded into 100 documents/],
    ] as const) {
      const { refused: found } = await module.keysOf([{ ...sent(1), data: { keys } }]);
      assert.match(found?.why ?? '', why);
    }
  });

  const broken: Readonly<Record<string, readonly [string, RegExp]>> = {
    'does not parse': ['export const projection = {', /tally\.mjs does not load: SyntaxError/],
    'throws while it loads': ['throw new Error("not today");', /does not load: Error: not today/],
    'exports nothing': ['export const other = 1;', /the export "projection" must be an object/],
    'has no version': [moduleWith(counting).replace('version: 3', 'version: 0'), /"version" must be a whole number/],
    'folds what it has no keys for': [
      moduleWith(counting).replace('keys: {', 'keys: { MessageDeleted: () => [],'),
      /must be for the same events, unlike MessageDeleted/,
    ],
    'never comes to an end of loading': ['for (;;);', /took longer than 4 s/],
  };
  for (const [what, [text, why]] of Object.entries(broken)) {
    it(`fails by name when it ${what}`, async (t) => {
      await assert.rejects(started(t, text), { name: 'ModuleFailed', message: why });
    });
  }

  it('fails by name where the system has no file descriptors left for it', async (t) => {
    const file = join(freshFolder(t), 'tally.mjs');
    writeFileSync(file, moduleWith(counting));
    const process = new URL('../../src/adapters/projectionModules/process.js', import.meta.url).href;
    const program = `
      const { openSync } = await import('node:fs');
      const { startModule } = await import('${process}');
      try { for (;;) openSync('/dev/null'); } catch {}
      const error = await startModule(${JSON.stringify(file)}).catch((failed) => failed);
      await new Promise((resolve) => setTimeout(resolve, 100));
      console.log(error.name + ': ' + error.message);`;
    const shell = 'ulimit -n 60; exec "$0" --input-type=module -e "$1"';
    const { stdout, stderr } = spawnSync('sh', ['-c', shell, execPath, program], { encoding: 'utf8' });
    assert.match(stdout, /ModuleFailed: .*does not start/, stderr);
  });

  const endless: Readonly<Record<string, readonly [string, RegExp]>> = {
    'that never ends': ['{ for (;;); }', /took longer than 4 s/],
    'that grows without bound': [
      '{ const all = []; for (;;) all.push({ at: all.length, text: String(all.length) }); }',
      /most likely because it needs more than 48 MiB|more than 96 MiB of memory/,
    ],
    'that fills buffers': [
      '{ const all = []; for (;;) all.push(Buffer.alloc(1_048_576, 1)); }',
      /more than 96 MiB of memory/,
    ],
    'that writes where its program answers': [
      '(process.getBuiltinModule("fs").writeSync(3, "no JSON\\n"), { count: 1 })',
      /gave back something that is no JSON/,
    ],
    'that ends the process': ['process.exit(7)', /has ended by itself, with 7/],
  };
  for (const [what, [fold, why]] of Object.entries(endless)) {
    it(`is ended in a fold ${what}, and fails from then on`, async (t) => {
      const module = await started(t, moduleWith(fold));
      await assert.rejects(folded(module), { name: 'ModuleFailed', message: why });
      await assert.rejects(module.keysOf([sent(1)]), { name: 'ModuleFailed' });
    });
  }
});
