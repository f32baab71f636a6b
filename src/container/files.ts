import { systemTimers } from '../adapters/system/timers.js';
import type { FilesAdmin } from '../admin/files.js';
import { fileStats } from '../gateway/files/stats.js';
import { sweepFiles, type FileSweep } from '../gateway/files/sweep.js';
import { raised, whileHeld } from '../kernel/tenure.js';
import { alarms } from './logging.js';
import { of, type Get } from './tokens.js';

/** How often files that nothing uses are looked for, by one node at a time. */
export const fileLookMillis = 300_000;

/** The lease of the node that looks. */
const lease = 'files';

export const fileSweepOf = (get: Get): FileSweep =>
  sweepFiles({
    blobs: get(of.blobs),
    clock: get(of.clock),
    execute: get(of.execute),
    ids: get(of.ids),
    reads: { store: get(of.reads) },
    removals: get(of.fileRemovals),
    streams: get(of.streams),
    end: () => get(of.log).end(),
    reached: (position, names) => get(of.projections).reached(position, names),
  });

/** A look beside that of the node that looks every few minutes: each event would be there once all the same. */
export const filesAdmin = (get: Get): FilesAdmin => ({
  stats: ({ signal }) =>
    fileStats({ blobs: get(of.blobs), reads: { store: get(of.reads) }, now: () => get(of.clock).now() }, signal),
  sweep: async ({ signal }) => {
    const { first: err, ...swept } = await fileSweepOf(get).look(signal);
    if (swept.failed > 0)
      get(of.logger).warn({ err, ...swept }, 'some files that nothing uses are left for the next look');
    return swept;
  },
});

/** Resolves when this node may come to look; it need not have looked yet. */
export const startFileSweep = async (get: Get): Promise<{ readonly close: () => Promise<void> }> => {
  const sweep = fileSweepOf(get);
  const { ephemeral } = get(of.engines);
  const needs = { leases: get(of.leases), timers: systemTimers, uptime: get(of.uptime), pubSub: ephemeral.pubSub };
  const onTrouble = (error: unknown): void => {
    alarms(get)('files that nothing uses are not looked for for now')({ error });
  };
  return whileHeld(lease, { ...needs, onTrouble }, async ({ signal }) => {
    let cancel = (): void => undefined;
    let looking = Promise.resolve();
    const later = (): void => {
      if (!signal.aborted) cancel = systemTimers.later(fileLookMillis, look);
    };
    const look = (): void => {
      looking = sweep
        .look(signal)
        .then(({ failed, first: err }) => {
          if (failed > 0)
            get(of.logger).warn({ err, failed }, 'some files that nothing uses are left for the next look');
        })
        .catch((err: unknown) => {
          get(of.logger).warn({ err }, 'files that nothing uses were not looked for');
        })
        .then(later);
    };
    later();
    await raised(signal);
    cancel();
    await looking;
  });
};
