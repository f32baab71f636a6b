import type { RPCResult } from '../../src/gen/core.js';
import { isLost } from './rawClient.js';

/** The outcome of an attack, as the attacker sees it. */
export type Tally = {
  opened: number;
  /** Connections that the server did not let open. */
  unopened: number;
  /** Connections that the server ended. */
  closed: number;
  /** Connections that were open at the end. */
  remaining: number;
  sent: number;
  answered: number;
  refused: number;
  /** Refusals by the code of their error. */
  readonly codes: Record<string, number>;
};

export const newTally = (): Tally => ({
  opened: 0,
  unopened: 0,
  closed: 0,
  remaining: 0,
  sent: 0,
  answered: 0,
  refused: 0,
  codes: {},
});

/** A request without an answer, because the connection was closed, counts as sent only. */
export const count = (tally: Tally, result: RPCResult): void => {
  const { error } = result;
  if (error === undefined) tally.answered += 1;
  else if (!isLost(result)) {
    const code = error.errorCode.toString();
    tally.refused += 1;
    tally.codes[code] = (tally.codes[code] ?? 0) + 1;
  }
};
