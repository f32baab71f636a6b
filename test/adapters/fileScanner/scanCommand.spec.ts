import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { missingProgram } from '../../../src/adapters/fileScanner/program.js';
import {
  scanCommand,
  scanTurns,
  type ScanCommandNeeds,
  type ScanFailure,
} from '../../../src/adapters/fileScanner/scanCommand.js';
import { systemTimers } from '../../../src/adapters/system/timers.js';
import type { UserId } from '../../../src/kernel/ids.js';
import { scanMillisMax, type FileScanner, type ScanVerdict } from '../../../src/kernel/ports/fileScanner.js';
import { nextTurn, pause } from '../../../src/kernel/timing.js';
import { removeFolder } from '../../support/removeFolder.js';

const user = 7n as UserId;
const folder = mkdtempSync(join(tmpdir(), 'osmium-scan-'));
after(() => removeFolder(folder));

const mebibyte = 1_048_576;

async function* partsOf(count: number, first = 0): AsyncGenerator<Uint8Array> {
  for (let part = 0; part < count; part += 1) {
    await Promise.resolve();
    yield new Uint8Array(mebibyte).fill(first + part);
  }
}

type Told = { readonly scanner: FileScanner; readonly verdicts: ScanVerdict[]; readonly failures: ScanFailure[] };

const scannerOf = (command: ScanCommandNeeds['command'], timers = systemTimers): Told => {
  const [verdicts, failures]: [ScanVerdict[], ScanFailure[]] = [[], []];
  const scanner = scanCommand({
    command,
    timers,
    done: (verdict) => verdicts.push(verdict),
    failed: (how) => failures.push(how),
  });
  return { scanner, verdicts, failures };
};
const shell = (script: string, timers = systemTimers): Told => scannerOf(['/bin/sh', '-c', script], timers);

/** The 30 s pass in a tenth of one. */
const hurried = {
  now: () => systemTimers.now() * (scanMillisMax / 100),
  later: (millis: number, work: () => void) => systemTimers.later(millis / (scanMillisMax / 100), work),
};

const isAlive = (pid: number): boolean => {
  try {
    // A process that is gone and was not waited for yet counts as gone.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid.toString()}/status`, 'utf8'));
  } catch {
    return false;
  }
};

describe('a command that judges files', () => {
  it('gets the bytes as they were sent, and says by its exit code what they are', async () => {
    const sum = join(folder, 'sum');
    const clean = shell(`sha256sum > ${sum}`);
    assert.equal(await clean.scanner.judged(partsOf(3), user), 'clean');
    const expected = createHash('sha256');
    for await (const part of partsOf(3)) expected.update(part);
    assert.equal(readFileSync(sum, 'utf8').split(' ')[0], expected.digest('hex'));
    const refused = shell('cat > /dev/null; exit 1');
    assert.equal(await refused.scanner.judged(partsOf(3), user), 'refused');
    assert.deepEqual([clean.verdicts, refused.verdicts], [['clean'], ['refused']]);
    assert.deepEqual([...clean.failures, ...refused.failures], []);
  });

  it('has no environment but PATH', async () => {
    const file = join(folder, 'environment');
    await scannerOf(['/usr/bin/env', '-S', `sh -c "env > ${file}"`]).scanner.judged(partsOf(1), user);
    const names = readFileSync(file, 'utf8').trim().split('\n');
    // The shell has some of its own.
    const own = /^(PATH|PWD|_|SHLVL|OLDPWD)=/;
    assert.deepEqual(
      names.filter((line) => !own.test(line)),
      [],
    );
    assert.ok(names.includes(`PATH=${process.env['PATH'] ?? ''}`));
  });

  it('judges nothing when it ends otherwise, by a signal, or cannot be started', async () => {
    const faults: readonly (readonly [Told, ScanFailure])[] = [
      [shell('cat > /dev/null; exit 2'), { code: 2 }],
      [shell('kill -SEGV $$'), { signal: 'SIGSEGV' }],
      [scannerOf(['/no/such/program']), 'not started'],
      // Longer than the system lets an argument be, which is thrown rather than told.
      [scannerOf(['/bin/sh', '-c', `exit 0 #${'x'.repeat(200_000)}`]), 'not started'],
    ];
    for (const [{ scanner, verdicts, failures }, how] of faults) {
      assert.equal(await scanner.judged(partsOf(2), user), 'unjudged');
      assert.deepEqual([verdicts, failures], [['unjudged'], [how]]);
    }
  });

  it('judges nothing where the process may open no more files', async () => {
    const { stdout } = await promisify(execFile)('/bin/sh', [
      '-c',
      'ulimit -n 64; exec "$0" "$1"',
      process.execPath,
      fileURLToPath(new URL('fullProcess.js', import.meta.url)),
    ]);
    assert.equal(stdout, 'unjudged, not started');
  });

  it('need not read: not at all, nor to the end, and its input may be closed before it has judged', async () => {
    for (const script of ['exit 1', 'head -c 10 > /dev/null; exit 1', 'exec 0<&-; sleep 0.2; exit 1']) {
      const { scanner, failures } = shell(script);
      assert.equal(await scanner.judged(partsOf(40), user), 'refused', script);
      assert.deepEqual(failures, []);
    }
  });

  it('may write what it likes', async () => {
    const { scanner } = shell('head -c 50000000 /dev/zero; head -c 50000000 /dev/zero >&2; cat > /dev/null');
    assert.equal(await scanner.judged(partsOf(2), user), 'clean');
  });

  it('leaves no process behind that it started, and is not waited for by that', async () => {
    const file = join(folder, 'left');
    const { scanner } = shell(`sleep 600 & echo $! > ${file}; cat > /dev/null`);
    assert.equal(await scanner.judged(partsOf(1), user), 'clean');
    const left = Number(readFileSync(file, 'utf8'));
    assert.ok(left > 0);
    while (isAlive(left)) await nextTurn();
  });

  it('that hangs is ended, with all that it started, whether it reads or not', async () => {
    const file = join(folder, 'hangs');
    for (const script of [`sleep 600 & echo $! > ${file}; wait`, `echo $$ > ${file}; cat > /dev/null; sleep 600`]) {
      const { scanner, failures } = shell(script, hurried);
      assert.equal(await scanner.judged(partsOf(9), user), 'unjudged');
      assert.deepEqual(failures, ['too long']);
      if (existsSync(file)) while (isAlive(Number(readFileSync(file, 'utf8')))) await nextTurn();
    }
  });

  it('is not late where the store is', async () => {
    async function* slow(): AsyncGenerator<Uint8Array> {
      for (let part = 0; part < 4; part += 1) {
        await pause(60);
        yield new Uint8Array(9);
      }
    }
    assert.equal(await shell('cat > /dev/null', hurried).scanner.judged(slow(), user), 'clean');
  });

  it('ends where the bytes cannot be read, and the error is told', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(3);
      await nextTurn();
      throw new Error('the store is away');
    }
    const { scanner, verdicts } = shell('cat > /dev/null');
    await assert.rejects(scanner.judged(broken(), user), /the store is away/);
    assert.deepEqual(verdicts, []);
  });

  it('runs a few times at once, and of one user so many files wait', async () => {
    const { scanner } = shell('cat > /dev/null');
    const many = scanTurns.atOnceMax + scanTurns.waitingOfOneMax + 5;
    const all = await Promise.all(Array.from({ length: many }, () => scanner.judged(partsOf(0), user)));
    assert.equal(all.filter((one) => one === 'busy').length, 5);
    assert.equal(all.filter((one) => one === 'clean').length, many - 5);
  });

  it('is ended when the server stops, which says nothing about the file', async () => {
    const { scanner, failures } = shell('sleep 600');
    const judged = scanner.judged(partsOf(1), user);
    await pause(50);
    await scanner.close();
    assert.equal(await judged, 'busy');
    assert.equal(await scanner.judged(partsOf(1), user), 'busy');
    assert.deepEqual(failures, []);
  });
});

describe('a program', () => {
  it('is found by its path or its name, and may be started', () => {
    assert.equal(missingProgram('/bin/sh'), undefined);
    assert.equal(missingProgram('sh'), undefined);
    assert.match(missingProgram('no-such-scanner') ?? '', /PATH/);
    assert.match(missingProgram('/bin') ?? '', /no program/);
    const file = join(folder, 'plain');
    writeFileSync(file, '#!/bin/sh\n', { mode: 0o600 });
    assert.match(missingProgram(file) ?? '', /no program/);
  });
});
