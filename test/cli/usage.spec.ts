import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { osmium } from './osmium.js';

const misuses: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [[], /Usage: osmium/],
  [['tea'], /unknown command 'tea'/],
  [['log', 'tail', '--limit', 'many'], /--limit <number>.*'many' is invalid\. It must be a whole number/],
  [['log', 'tail', '--from', '-1'], /--from <position>.*'-1' is invalid/],
  [['log', 'stats', '--wrong'], /unknown option '--wrong'/],
  [['chat', '--url', 'http://127.0.0.1'], /--url <url>.*must begin with ws:\/\/ or wss:\/\//],
];

describe('the command line', () => {
  for (const [args, says] of misuses)
    it(`ends with 2 and says what is wrong with: osmium ${args.join(' ')}`, async () => {
      const { code, errors } = await osmium(args).ended;
      assert.equal(code, 2);
      assert.match(errors, says);
    });

  it('explains itself', async () => {
    const { code, output } = await osmium(['log', 'tail', '--help']).ended;
    assert.equal(code, 0);
    assert.match(output, /--data-dir <folder>.*OSMIUM_DATA_DIR/s);
  });

  it('looks for no log where there is none, and makes nothing', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'osmium-cli-'));
    t.after(() => {
      rmSync(folder, { recursive: true });
    });
    const missing = join(folder, 'missing');
    const runs = [
      osmium(['log', 'tail', '--data-dir', missing]),
      osmium(['log', 'stats'], { OSMIUM_DATA_DIR: missing }),
    ];
    for (const { code, errors } of await Promise.all(runs.map(({ ended }) => ended))) {
      assert.equal(code, 1);
      assert.equal(errors, `osmium: there is no log in ${join(missing, 'log')}\n`);
    }
    assert.deepEqual(readdirSync(folder), []);
  });

  it('says that nobody is there to chat with', async () => {
    const { code, errors } = await osmium(['chat', '--url', 'ws://127.0.0.1:1']).ended;
    assert.equal(code, 1);
    assert.match(errors, /^osmium: cannot connect to ws:\/\/127\.0\.0\.1:1.*\n$/);
  });

  it('serves', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'osmium-cli-'));
    t.after(() => {
      rmSync(folder, { recursive: true });
    });
    const run = osmium(['serve'], { OSMIUM_DATA_DIR: folder, OSMIUM_PORT: '0' });
    await run.prints(/ready for clients/);
    run.stop('SIGTERM');
    assert.equal((await run.ended).code, 0);
  });
});
