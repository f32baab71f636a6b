import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { testServer } from '../support/server.js';
import { root, textOf } from '../support/sources.js';

describe('the example in README.md', () => {
  const [, example = ''] = /```js\n([^]*?)```/.exec(textOf('README.md')) ?? [];

  it('has ten lines', () => {
    assert.equal(example.trim().split('\n').length, 10);
  });

  it('works as it is printed', async (t) => {
    const server = await testServer();
    // In the place of the project's folder, so that nothing is left in that.
    const folder = mkdtempSync(join(tmpdir(), 'osmium-readme-'));
    t.after(async () => {
      await server.remove();
      rmSync(folder, { recursive: true });
    });
    symlinkSync(join(root, 'dist'), join(folder, 'dist'));
    const file = join(folder, 'hello.mjs');
    writeFileSync(file, example.replace('127.0.0.1:8080', `127.0.0.1:${server.port.toString()}`));
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [file]);
    assert.equal(stderr, '');
    assert.deepEqual(stdout.split('\n').sort(), ['', '1 message in the history', 'Ada said: Hello, Osmium']);
  });
});
