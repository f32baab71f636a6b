import { systemClock } from '../../src/adapters/system/clock.js';
import { systemTimers } from '../../src/adapters/system/timers.js';
import { localPresence, type LocalPresence } from '../../src/adapters/presence/local.js';
import type { PresenceSeal } from '../../src/kernel/ports/presence.js';

/** Presence that hands nothing on. */
export const memoryPresence = (): LocalPresence =>
  localPresence({
    timers: systemTimers,
    clock: systemClock,
    onError: (error) => {
      throw error;
    },
  });

/** A seal that hides nothing, but opens only under the name that it was made under. */
export const plainPresenceSeal: PresenceSeal = {
  seal: (about, plain) => `${about} ${plain}`,
  open: (about, sealed) => (sealed.startsWith(`${about} `) ? sealed.slice(about.length + 1) : undefined),
};
