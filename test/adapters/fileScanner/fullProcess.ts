import { openSync } from 'node:fs';
import { scanCommand, type ScanFailure } from '../../../src/adapters/fileScanner/scanCommand.js';
import { systemTimers } from '../../../src/adapters/system/timers.js';
import type { UserId } from '../../../src/kernel/ids.js';

/** Opens all the files that it may, and then has one judged. */
const failures: ScanFailure[] = [];
const scanner = scanCommand({
  command: ['/bin/sh', '-c', 'cat > /dev/null'],
  timers: systemTimers,
  done: () => undefined,
  failed: (how) => failures.push(how),
});

async function* parts(): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(new Uint8Array(9));
}

// The output is opened before no more can be.
process.stdout.write('');
try {
  for (;;) openSync('/dev/null', 'r');
} catch {
  // All of them are open.
}
const verdict = await scanner.judged(parts(), 7n as UserId);
process.stdout.write([verdict, ...failures.map((how) => JSON.stringify(how).replaceAll('"', ''))].join(', '));
