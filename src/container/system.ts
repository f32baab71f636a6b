import { trace } from '@opentelemetry/api';
import type { Logger } from 'pino';
import type { DependencyContainer } from 'tsyringe';
import { argon2Hasher } from '../adapters/system/argon2.js';
import { commonPasswords } from '../adapters/system/commonPasswords.js';
import { systemClock } from '../adapters/system/clock.js';
import { diskOf } from '../adapters/system/disk.js';
import { systemIds } from '../adapters/system/ids.js';
import { systemRandom } from '../adapters/system/random.js';
import { systemTimers } from '../adapters/system/timers.js';
import { systemUptime } from '../adapters/system/uptime.js';
import type { Config } from '../config.js';
import { eventKinds } from '../domain/registry.js';
import { metrics } from '../gateway/operations/metrics.js';
import type { Sealer } from '../kernel/ports/sealer.js';
import type { Disk, PasswordHasher } from '../kernel/ports/system.js';
import { checkedClock } from '../kernel/checkedClock.js';
import { eventCodec } from '../kernel/codec.js';
import { executor } from '../kernel/execute.js';
import { foldedStreams } from '../kernel/foldedStreams.js';
import { openDocuments } from '../projections/reading/openDocuments.js';
import { openedDocuments } from '../projections/reading/openedDocuments.js';
import { readModels, streamsIn, type DeclaredReadModels } from '../projections/registry.js';
import { alarms, loggerFor } from './logging.js';
import { toldOutages } from './outages.js';
import { foundOnce, of, once } from './tokens.js';

/** Parts that tests put in the place of the real ones. */
export type SystemOverrides = {
  readonly hasher?: PasswordHasher;
  readonly logger?: Logger;
  readonly disk?: Disk;
  /** Made over the one that seals under the keys of the vault. */
  readonly sealer?: (real: Sealer) => Sealer;
  readonly readModels?: DeclaredReadModels;
};

/** Registers the parts on which everything else stands. */
export const registerSystem = (container: DependencyContainer, config: Config, overrides: SystemOverrides): void => {
  container.registerInstance(of.config, config);
  container.registerInstance(of.readModels, overrides.readModels ?? readModels);
  once(container, of.clock, (get) =>
    checkedClock({
      wall: systemClock,
      timers: systemTimers,
      onTrouble: (error) => {
        alarms(get)('the clock of this machine is wrong')({ error });
      },
    }),
  );
  once(container, of.logger, () => overrides.logger ?? loggerFor(config));
  once(container, of.tracer, () => trace.getTracer('osmium-server'));
  once(container, of.metrics, metrics);
  once(container, of.outages, toldOutages);
  once(container, of.random, systemRandom);
  once(container, of.uptime, systemUptime);
  once(container, of.ids, (get) => systemIds(get(of.nodeNumber).next));
  once(container, of.disk, () => overrides.disk ?? diskOf(config.dataDir));
  once(container, of.hasher, () => overrides.hasher ?? argon2Hasher());
  once(container, of.commonPasswords, commonPasswords);
};

export const registerKernel = (container: DependencyContainer): void => {
  once(container, of.codec, (get) => eventCodec(eventKinds, get(of.sealer)));
  once(container, of.openDocuments, () => openDocuments(() => systemTimers.now()));
  once(container, of.opened, (get) =>
    openedDocuments({
      hot: get(of.openDocuments),
      codec: get(of.codec),
      sealer: get(of.sealer),
      uptime: systemTimers,
      streamsOf: streamsIn(get(of.readModels).projections),
      onBroken: (error) => {
        alarms(get)('a read model holds sealed content that does not open')({ error });
      },
    }),
  );
  once(container, of.reads, (get) => get(of.opened)(get(of.documents)));
  once(container, of.streams, (get) =>
    foldedStreams({
      log: get(of.log),
      codec: get(of.codec),
      sealer: get(of.sealer),
      documents: get(of.reads),
    }),
  );
  once(container, of.execute, (get) => {
    const admission = foundOnce(() => get(of.admission));
    return executor({
      log: get(of.log),
      codec: get(of.codec),
      sealer: get(of.sealer),
      clock: get(of.clock),
      ids: get(of.ids),
      streams: get(of.streams),
      appended: (actor, bytes) => {
        admission().wrote(actor, bytes);
      },
    });
  });
};
