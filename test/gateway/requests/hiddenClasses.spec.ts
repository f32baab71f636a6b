import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beginning, ending, sends } from './sendingProcess.js';

const program = fileURLToPath(new URL('./sendingProcess.js', import.meta.url));

/** What V8 noted of its hidden classes while the messages were sent, by the field that made each of them. */
const madeWhileSending = async (folder: string): Promise<readonly string[]> => {
  const log = join(folder, 'v8.log');
  const options = ['--log-maps', `--logfile=${log}`, '--no-logfile-per-isolate'];
  await promisify(execFile)(process.execPath, [...options, program, 'send'], { timeout: 120_000 });
  const made = (await readFile(log, 'utf8')).split('\n').filter((line) => line.startsWith('map,Transition'));
  const fields = made.map((line) => line.slice(line.lastIndexOf(',') + 1));
  const [from, to] = [fields.lastIndexOf(beginning), fields.lastIndexOf(ending)];
  assert.ok(from >= 0 && to > from, 'the log of V8 is not as it was');
  return fields.slice(from + 1, to);
};

describe('a message that is sent', () => {
  // An object that begins with a spread and gets further fields behind it is of a class of its own in V8 11: it takes two
  // microseconds and half a kilobyte, and whoever reads it is slow. With the fields before the spread all share one.
  it('makes no object of a hidden class of its own', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'osmium-hidden-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const made = await madeWhileSending(folder);
    const often = [...new Set(made)].filter((field) => made.filter((one) => one === field).length >= sends / 2);
    assert.deepEqual(often, []);
  });
});
