import type { Position } from '../../kernel/event.js';
import type { Timers } from '../../kernel/ports/leases.js';
import { atMost } from '../../kernel/timing.js';
import { paceMillisMax, type FoldingPace } from '../contract/enforcement.js';
import type { Acknowledged, ReadModels } from '../contract/readModels.js';

/** Folding may be behind by so much before appends wait for it. */
export const foldingLagMillisMax = 200;
/** Appends of so many milliseconds are looked at as one, so that few positions are remembered. */
const sampleMillis = 20;
/** Of an older lag than these together show, the age is known well enough. */
const samplesMax = 64;

export type FoldingPaceNeeds = {
  readonly acknowledged: Pick<Acknowledged, 'events'>;
  readonly folded: ReadModels['folded'];
  readonly timers: Timers;
};

/** Events up to `position` are not folded, and were first seen to be acknowledged at this time of the monotonic clock. */
type Sample = { position: Position; readonly seenAt: number };

export const foldingPace = ({ acknowledged, folded, timers }: FoldingPaceNeeds): FoldingPace => {
  const samples: Sample[] = [];

  const note = (now: number): void => {
    const position = acknowledged.events();
    const done = folded.position();
    while (samples[0] !== undefined && samples[0].position <= done) samples.shift();
    if (position <= done) return;
    const last = samples.at(-1);
    // With the age of its oldest, so that it is not taken for younger than it is.
    if (last !== undefined && (now - last.seenAt < sampleMillis || samples.length === samplesMax))
      last.position = position;
    else samples.push({ position, seenAt: now });
  };

  return {
    ready: () => {
      const now = timers.now();
      note(now);
      const [oldest] = samples;
      if (oldest === undefined || now - oldest.seenAt <= foldingLagMillisMax) return undefined;
      const reached = folded.reached(oldest.position);
      // A projection that has stopped is reported where that happened, and holds no append up.
      return reached && atMost(paceMillisMax, reached, timers);
    },
  };
};
