import { writeSync } from 'node:fs';
import { lmdbEventLog } from '../../src/adapters/eventLog/lmdb.js';
import type { Millis } from '../../src/kernel/ids.js';
import { freshStream, someEvents } from '../contracts/eventLog.js';

// Run as a process of its own, to be killed: appends until `acknowledgementsMax` and says what was acknowledged, a line
// each.
const appendersMax = 16;

const appendUntil = async (folder: string, acknowledgementsMax: number): Promise<void> => {
  let acknowledgements = 0;
  const log = await lmdbEventLog({ folder, now: () => Date.now() as Millis });
  const appender = async (): Promise<never> => {
    let stream = freshStream();
    for (let count = 1; ; count = (count % 40) + 1) {
      const events = someEvents(count);
      const { revision, position } = await log.append(stream, events, 'any');
      const last = events.at(-1)?.id ?? '';
      writeSync(1, `${[stream, revision.toString(), position.toString(), last, count.toString()].join(' ')}\n`);
      acknowledgements += 1;
      if (acknowledgements >= acknowledgementsMax) process.exit();
      if (count === 40) stream = freshStream();
    }
  };
  await Promise.all(Array.from({ length: appendersMax }, appender));
};

await appendUntil(process.argv[2] ?? '', Number(process.argv[3] ?? Number.POSITIVE_INFINITY));
