import { systemClock } from '../adapters/system/clock.js';
import { systemTimers } from '../adapters/system/timers.js';
import type { Config } from '../config.js';
import type { EngineNeeds } from '../engines.js';
import { readModels } from '../projections/registry.js';
import { setOf } from './generations/set.js';

/** A command that works on a data folder where no server runs opens engines with these. */
export const commandNeeds = (config: Config, opened: (() => Promise<void>)[]): EngineNeeds => ({
  config,
  collections: readModels.collections,
  set: setOf(readModels),
  clock: systemClock,
  timers: systemTimers,
  opened: (close) => opened.push(close),
  warn: (message, details = {}) => {
    console.error(`osmium: ${message}`, details);
  },
  alarm: (message, error) => {
    console.error(`osmium: ${message}`, error);
  },
  servers: 'demanded',
  // It ends soon, and says itself why it could not go on.
  outages: { know: () => undefined, failed: () => undefined },
  count: () => undefined,
});
