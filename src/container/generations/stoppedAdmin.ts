import { systemTimers } from '../../adapters/system/timers.js';
import type { ProjectionsAdmin } from '../../admin/projections.js';
import { isServer, type Config } from '../../config.js';
import { generationsOf, openLeases } from '../../engines.js';
import { readModels } from '../../projections/registry.js';
import { generationsAdmin } from './admin.js';
import { setOf } from './set.js';

/** Where no server of this process runs. */
export const stoppedAdmin = (config: Config): ProjectionsAdmin =>
  generationsAdmin({
    generations: generationsOf(config),
    readModels,
    set: setOf(readModels).name,
    ...(isServer(config.documents)
      ? { leases: () => openLeases({ config, timers: systemTimers, servers: 'demanded', warn: () => undefined }) }
      : {}),
  });
