import type { VerbCall } from '../../admin/verbCall.js';

/** How often progress is told at most. */
const progressMillis = 1_000;

/** Tells how far the work is, but seldom. */
export const seldom = (tell: VerbCall['progress']): ((line: () => string) => void) => {
  let told = performance.now();
  return (line) => {
    if (performance.now() - told < progressMillis) return;
    told = performance.now();
    tell(line());
  };
};
