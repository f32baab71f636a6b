import { systemTimers } from '../adapters/system/timers.js';
import { engineKindOf, type EngineKind } from '../engines.js';
import { outages, type Outages } from '../kernel/outages.js';
import { reasonOf } from '../startFailure.js';
import { alarms } from './logging.js';
import { of, type Get } from './tokens.js';

/** Outages of engines, as lines of the log without a stack: where they are, what waits, and how long it did. */
export const toldOutages = (get: Get): Outages<EngineKind> =>
  outages({
    timers: systemTimers,
    kindOf: engineKindOf,
    began: ({ engine: { name, address }, trouble: { doing, error } }) => {
      get(of.metrics).count('alarms', 1);
      get(of.logger).error({ address, waits: doing, reason: reasonOf(error) }, `${name} is away`);
    },
    ended: ({ engine: { name, address }, ...details }) => {
      get(of.logger).warn({ address, ...details }, `${name} is there again`);
    },
    unexplained: ({ doing, error }) => {
      alarms(get)(`${doing} does not succeed, and is tried again`)({ error });
    },
  });
