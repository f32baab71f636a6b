import { shredded } from '../../kernel/opened.js';
import type { Sealer } from '../../kernel/ports/sealer.js';
import { packed } from './sealedText.js';

/** Has no keys: it reads what is sealed as it is, and shows it as erased. Sealing throws. */
export const closedSealer: Sealer = {
  packed,
  open: () => shredded,
  heldUntil: () => shredded,
  onForgotten: () => undefined,
  seal: (_, { associated }) => {
    throw new Error(`nothing is sealed here: ${associated}`);
  },
  loadKeys: () => Promise.resolve(),
  makeKeys: () => Promise.resolve(),
  lookupHash: (value) => value,
  periodOf: () => undefined,
  hasherOf: () => shredded,
};
