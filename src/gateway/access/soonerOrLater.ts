import type { ProjectionName } from '../../projections/registry.js';
import type { OpenCall } from '../contract/call.js';

/**
 * Looks again with all that is in the log when nothing was found. Codes, names and ids travel from hand to hand faster
 * than the read models follow, and the session of their reader knows no position to wait for.
 */
export const soonerOrLater = async <Found>(
  call: Pick<OpenCall, 'upToDateWithLog'>,
  readModels: readonly [ProjectionName, ...ProjectionName[]],
  look: () => Promise<Found | undefined>,
): Promise<Found | undefined> => {
  const found = await look();
  if (found !== undefined) return found;
  await call.upToDateWithLog(...readModels);
  return look();
};
