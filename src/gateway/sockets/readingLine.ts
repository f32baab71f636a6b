/** A connection from which reading is dear. */
export interface DearReader {
  /** It is its turn to be read. */
  readFurther(): void;
}

/**
 * The order in which connections are read from which reading is dear: so many units in a round of the event loop, however many wait.
 * Between two rounds all other sockets are looked at. The thread is never left idle for that.
 */
export class ReadingLine {
  private readonly unitsPerRound: number;
  /** With the units that are expected of each: those of its last read. A Map keeps them in the order in which they came. */
  private readonly waiting = new Map<DearReader, number>();
  private spent = 0;
  private isRoundAhead = false;

  constructor(unitsPerRound: number) {
    this.unitsPerRound = unitsPerRound;
  }

  /** So much was read of it. True where it may be read on in this round; otherwise it is told when. Both count it. */
  mayReadOn(reader: DearReader, units: number): boolean {
    if (this.waiting.size === 0 && this.spent < this.unitsPerRound) {
      this.spend(units);
      return true;
    }
    this.waiting.set(reader, units);
    return false;
  }

  /** It is not to be read any more, so that it takes no turn from the others. */
  leave(reader: DearReader): void {
    this.waiting.delete(reader);
  }

  private spend(units: number): void {
    this.spent += units;
    if (this.isRoundAhead) return;
    this.isRoundAhead = true;
    setImmediate(this.nextRound);
  }

  private readonly nextRound = (): void => {
    this.isRoundAhead = false;
    this.spent = 0;
    for (const [reader, units] of this.waiting) {
      if (this.spent >= this.unitsPerRound) return;
      this.waiting.delete(reader);
      this.spend(units);
      reader.readFurther();
    }
  };
}
