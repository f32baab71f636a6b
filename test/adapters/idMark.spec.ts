import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileIdMark } from '../../src/adapters/dataFolder/idMark.js';
import type { Millis } from '../../src/kernel/ids.js';

describe('the mark of ids in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'osmium-mark-'));
  after(() => {
    rmSync(folder, { recursive: true });
  });
  let files = 0;
  const place = (): string => join(folder, `data-${(files += 1).toString()}`, 'ids.mark');

  it('is there for the next process, however it was raised', async () => {
    const path = place();
    const mark = fileIdMark(path);
    assert.equal(await mark.read(), undefined);
    await mark.raise(1_790_000_000_000 as Millis);
    assert.equal(await fileIdMark(path).read(), 1_790_000_000_000);
    mark.raiseNow(1_790_000_000_001 as Millis);
    assert.equal(await fileIdMark(path).read(), 1_790_000_000_001);
  });

  it('only grows', async () => {
    const path = place();
    const mark = fileIdMark(path);
    for (const to of [2_000_000_000_000, 5, 1_999_999_999_999]) {
      mark.raiseNow(to as Millis);
      assert.equal(await mark.read(), 2_000_000_000_000);
      assert.equal(await fileIdMark(path).read(), 2_000_000_000_000);
    }
  });

  it('is none when the file is damaged, and is written anew', async () => {
    const path = place();
    fileIdMark(path).raiseNow(7 as Millis);
    const whole = readFileSync(path);
    for (const damaged of [Buffer.alloc(0), whole.subarray(0, -1), Buffer.alloc(whole.length, 'x')]) {
      writeFileSync(path, damaged);
      const mark = fileIdMark(path);
      assert.equal(await mark.read(), undefined);
      mark.raiseNow(8 as Millis);
      assert.equal(await fileIdMark(path).read(), 8);
    }
  });

  it('says so when the file cannot be written', async () => {
    const path = place();
    const mark = fileIdMark(path);
    writeFileSync(dirname(path), '');
    assert.throws(() => fileIdMark(path), /ENOTDIR/);
    assert.throws(() => {
      mark.raiseNow(2 as Millis);
    }, /ENOTDIR|EEXIST/);
    await assert.rejects(mark.raise(2 as Millis), /ENOTDIR|EEXIST/);
  });
});
