import type { Appended, ExpectedRevision } from '../../../kernel/ports/eventLog.js';
import type { Proposal, WireRevision } from './batchAppend.js';
import type { Judge } from './held.js';

/** One append, from when it is handed in until it is settled. */
export type Item = {
  readonly proposal: Proposal;
  readonly expected: ExpectedRevision;
  readonly judge: Judge;
  readonly giveUpAt: number;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: unknown) => void;
  /**
   * The revision that this attempt demands. An attempt that demands another one has another correlation, so old answers
   * miss it.
   */
  wire: WireRevision;
  correlation: string;
  wasSent: boolean;
  timer: NodeJS.Timeout | undefined;
  /** Why it has to be sent, or sent again; undefined while an answer may still come. */
  unclear: unknown;
};

export const isOverdue = ({ giveUpAt }: Item): boolean => performance.now() > giveUpAt;

/** Sent and not answered, at a time. The server gains little from more. */
const inFlightMax = 256;
/** The same in bytes; but one append may always be on its way. */
const inFlightBytesMax = 4 * 1024 * 1024;

/** Appends that were sent and not answered, in the order in which they were first sent. */
export class Flight {
  readonly #items = new Map<string, Item>();
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#items.size === 0;
  }

  /** Nothing can be answered any more: all of it has to be sent again. */
  get isQuiet(): boolean {
    return [...this.#items.values()].every(({ unclear }) => unclear !== undefined);
  }

  hasRoomFor({ bytes }: Proposal): boolean {
    if (this.isEmpty) return true;
    return this.#items.size < inFlightMax && this.#bytes + bytes <= inFlightBytesMax;
  }

  get(correlation: string): Item | undefined {
    return this.#items.get(correlation);
  }

  items(): Iterable<Item> {
    return this.#items.values();
  }

  add(item: Item): void {
    this.#items.set(item.correlation, item);
    this.#bytes += item.proposal.bytes;
  }

  remove(item: Item): void {
    this.#items.delete(item.correlation);
    this.#bytes -= item.proposal.bytes;
  }
}
