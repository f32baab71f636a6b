/** What the stand-in does wrong, and how often. */

export type AppendFault =
  /** The call ends with an error before anything is written. */
  | 'dropBeforeWrite'
  /** It is written, and the call ends before it is answered. */
  | 'dropAfterWrite'
  | 'answerTwice'
  /** Nothing is written, and no answer comes. */
  | 'silence'
  | 'silenceAfterWrite'
  /** The call ends without an error and without an answer. */
  | 'cleanEnd'
  | 'notLeader'
  | 'notReady'
  | 'busy'
  /** What the server says when its disk is slow: it is written all the same. */
  | 'timeoutAfterWrite'
  | 'denied'
  /** It is refused for a reason that only the server knows. */
  | 'malformed';

export type ReadFault =
  | 'drop'
  | 'dropMidway'
  | 'silence'
  | 'notLeader'
  | 'notReady'
  | 'busy'
  /** The user or the password is wrong. */
  | 'unauthenticated'
  /** The user may not read this. */
  | 'denied'
  /**
   * The two newest events, of the stream or of the log, are written, and not yet in the index that reads go by, or not yet
   * on the machine that answers.
   */
  | 'behind'
  /** What the server says when its own disk fails it; of the whole log also when no event is at the position. */
  | 'failed';

export type SubscribeFault =
  | 'drop'
  | 'cleanEnd'
  | 'tooSlow'
  /** It stays open and brings nothing any more. */
  | 'silence'
  /** The last events come once more. */
  | 'repeat'
  /** A checkpoint far ahead of what was sent, and then the end. */
  | 'checkpointAhead';

type Planned<F> = { readonly fault: F; skip: number; times: number };

/** A queue of faults for one kind of call. */
export class Plan<F> {
  readonly #planned: Planned<F>[] = [];
  /** How many faults have happened. */
  happened = 0;

  /** The next `times` calls go wrong, after `skip` that do not. */
  next(fault: F, { times = 1, skip = 0 }: { readonly times?: number; readonly skip?: number } = {}): void {
    this.#planned.push({ fault, skip, times });
  }

  take(): F | undefined {
    const [planned] = this.#planned;
    if (planned === undefined) return undefined;
    if (planned.skip > 0) {
      planned.skip -= 1;
      return undefined;
    }
    planned.times -= 1;
    if (planned.times === 0) this.#planned.shift();
    this.happened += 1;
    return planned.fault;
  }

  clear(): void {
    this.#planned.length = 0;
  }
}

export class Faults {
  /** Each append is a call. */
  readonly appends = new Plan<AppendFault>();
  readonly reads = new Plan<ReadFault>();
  /** Each batch of events that a subscription sends is a call. */
  readonly subscriptions = new Plan<SubscribeFault>();
  /** The call that asks what the server can do. */
  readonly features = new Plan<'internal' | 'silence'>();
}
