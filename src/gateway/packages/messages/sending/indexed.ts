import { termsExpectedOf, type Searchable } from '../../../../projections/search/queries.js';
import { costs, type Meter } from '../../../contract/meter.js';

/** So many terms of each message are in the price of its event. */
export const termsInPrice = 64;

/** Charges the writer for what the search will make of a text and of the hosts of its links, which is far more than its bytes where each pair is a term. */
export const chargeIndexed = (
  { meter }: { readonly meter: Pick<Meter, 'spend'> },
  written: Pick<Searchable, 'text' | 'entities'>,
): void => {
  const beyond = termsExpectedOf(written) - termsInPrice;
  if (beyond > 0) meter.spend(costs.termIndexed * beyond);
};
