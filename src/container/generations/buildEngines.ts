import { lmdbLogFollower } from '../../adapters/eventLog/lmdbFollower.js';
import { systemTimers } from '../../adapters/system/timers.js';
import { isServer, type Config } from '../../config.js';
import { foldersIn, openLeases } from '../../engines.js';
import type { FollowedLog } from '../../kernel/ports/eventLog.js';
import type { Leases } from '../../kernel/ports/leases.js';

/** The engines of a deployment on which a server may be working, open without disturbing it. Documents stay sealed: no vault. */
export type BuildEngines = {
  readonly log: FollowedLog;
  /** Where other processes share the documents. */
  readonly leases: Leases | undefined;
};

/** Throws what opening the parts throws; those that were opened are closed by who asked, through `opened`. */
export const openBuildEngines = async (
  config: Config,
  opened: (close: () => Promise<void>) => void,
): Promise<BuildEngines> => {
  const log = await openBuildLog(config);
  opened(() => log.close());
  if (!isServer(config.documents)) return { log, leases: undefined };
  const leases = await openLeases({ config, timers: systemTimers, servers: 'demanded', warn: () => undefined });
  opened(() => leases.close());
  return { log, leases };
};

/** Each thread opens it for itself. */
export const openBuildLog = async ({ eventLog, dataDir }: Config): Promise<FollowedLog> => {
  if (!isServer(eventLog)) return lmdbLogFollower(foldersIn(dataDir).log);
  const { eventStoreDbEventLog } = await import('../../adapters/eventLog/eventStoreDb.js');
  return eventStoreDbEventLog({ connectionString: eventLog.url });
};
