import { systemTimers } from '../adapters/system/timers.js';
import { mintedIds } from '../domain/mintedIds.js';
import { highestIdTime } from '../kernel/highestId.js';
import { nodeNumber, reservedMillis, type NodeNumber } from '../kernel/nodeNumber.js';
import { of, type Get } from './tokens.js';

/** The number of this node, for ids above all that are in the log. Resolves once there is one. */
export const openNodeNumber = async (get: Get): Promise<NodeNumber> => {
  const leases = get(of.leases);
  // The clock may have been set back since the log was written. Ids must not go back, because clients page by them.
  const after = await highestIdTime({
    log: get(of.log),
    mark: leases.mark,
    mintedIds,
    markAheadMillis: reservedMillis,
    onLongRead: () => {
      get(of.logger).info('reading the whole log once, for the highest id in it');
    },
  });
  return nodeNumber({
    leases,
    timers: systemTimers,
    uptime: get(of.uptime),
    clock: get(of.clock),
    after,
    onTrouble: (error) => {
      get(of.outages).failed({ doing: 'holding a number for ids', error });
    },
  });
};
