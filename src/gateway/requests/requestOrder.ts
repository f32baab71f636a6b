import type { RequestOrdering } from '../contract/rpcPolicy.js';

/**
 * The order in which the requests of one connection are carried out: as if one after the other, each seeing all effects
 * of those before it. Clients send without waiting for answers and rely on that. Requests for which the order makes no
 * difference go side by side: reads among themselves, and sends, which keep the order of a chat themselves. A request
 * that goes aside waits for somebody else, so that nothing behind it waits for it.
 */
export interface RequestOrder {
  /** Begins `work` at once, in this very tick, when it need not wait. */
  take<T>(kind: RequestOrdering, work: () => Promise<T>): Promise<T>;
}

type Turn = {
  readonly kind: RequestOrdering;
  /** Ends when the turn before it does; `undefined` when there was none. */
  readonly before: Promise<void> | undefined;
  readonly ended: Promise<void>;
  readonly end: () => void;
  underWay: number;
};

export const requestOrder = (): RequestOrder => new TurnsOfConnection();

/** A class, because every connection has one. */
class TurnsOfConnection implements RequestOrder {
  private last: Turn | undefined;

  async take<T>(kind: RequestOrdering, work: () => Promise<T>): Promise<T> {
    if (kind === 'aside') {
      await this.last?.ended;
      return work();
    }
    const turn = this.turnFor(kind);
    turn.underWay += 1;
    try {
      if (turn.before !== undefined) await turn.before;
      return await work();
    } finally {
      turn.underWay -= 1;
      if (turn.underWay === 0) turn.end();
      if (turn.underWay === 0 && this.last === turn) this.last = undefined;
    }
  }

  private turnFor(kind: RequestOrdering): Turn {
    if (this.last?.kind === kind && kind !== 'alone') return this.last;
    this.last = newTurn(kind, this.last?.ended);
    return this.last;
  }
}

const newTurn = (kind: RequestOrdering, before: Promise<void> | undefined): Turn => {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { kind, before, ended, end, underWay: 0 };
};
