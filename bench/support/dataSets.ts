import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { progress } from './benchmark.js';
import { dataSetIn } from './dataSet.js';
import type { DataSetCalls } from './dataSetProcess.js';
import { startHelper } from './helper.js';

/**
 * A data folder with so many events: from an earlier run where `data` names a folder that is kept, else made anew. It is
 * made in a process of its own, so that whoever measures starts with a clean memory.
 */
export const dataSetOf = async (
  events: number,
  { data, folder }: { readonly data: string; readonly folder: string },
): Promise<string> => {
  const dataDir = join(data === '' ? folder : data, `events-${events.toString()}`);
  if (dataSetIn(dataDir) !== undefined) return dataDir;
  progress(`making ${events.toString()} events`);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const maker = await startHelper<DataSetCalls>({ file: new URL('./dataSetProcess.js', import.meta.url) });
  try {
    const { seconds } = await maker.call('make', { dataDir, events });
    progress(`made in ${seconds.toFixed(1)} s`);
  } finally {
    await maker.stop();
  }
  return dataDir;
};
