import { lockFolder } from './adapters/dataFolder/lock.js';
import { lmdbEventLog } from './adapters/eventLog/lmdb.js';
import { lmdbReader, type LmdbReader } from './adapters/eventLog/lmdbReader.js';
import { systemClock } from './adapters/system/clock.js';
import type { LogPlace } from './admin/logPlace.js';
import { foldersIn } from './engines.js';
import type { EventLog } from './kernel/ports/eventLog.js';

/**
 * The log of a place that somebody named. That of a data folder belongs to this process until it is closed, and is made
 * only if it `mayBeNew`. Throws `NoLog`, `FolderInUse` and `LogUnreachable`.
 */
export const openEventLog = async (
  place: LogPlace,
  { mayBeNew }: { readonly mayBeNew: boolean },
): Promise<EventLog> => {
  if (place.engine === 'eventStoreDb') {
    const { eventStoreDbEventLog } = await import('./adapters/eventLog/eventStoreDb.js');
    return eventStoreDbEventLog({ connectionString: place.connectionString });
  }
  const { log: folder } = foldersIn(place.dataDir);
  if (!mayBeNew) await lmdbReader(folder).close();
  const lock = await lockFolder(place.dataDir);
  try {
    const log = await lmdbEventLog({ folder, now: () => systemClock.now() });
    return { ...log, close: () => log.close().finally(() => lock.release()) };
  } catch (error) {
    await lock.release();
    throw error;
  }
};

/** Looks into the log of a data folder, also while a server works on it. Throws `NoLog`. */
export const openLogReader = (dataDir: string): LmdbReader => lmdbReader(foldersIn(dataDir).log);
