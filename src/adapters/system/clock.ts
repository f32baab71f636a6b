import type { Millis } from '../../kernel/ids.js';
import type { Clock } from '../../kernel/ports/system.js';

export const systemClock: Clock = { now: () => Date.now() as Millis };
