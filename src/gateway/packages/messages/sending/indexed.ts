import { termsExpected } from '../../../../projections/search/queries.js';
import type { Call } from '../../../contract/call.js';
import { costs } from '../../../contract/meter.js';

/** So many terms of each message are in the price of its event. */
export const termsInPrice = 64;

/** Charges the writer for what the search will make of a text, which is far more than its bytes where each pair is a term. */
export const chargeIndexed = ({ meter }: Pick<Call, 'meter'>, text: string): void => {
  const beyond = termsExpected(text) - termsInPrice;
  if (beyond > 0) meter.spend(costs.termIndexed * beyond);
};
