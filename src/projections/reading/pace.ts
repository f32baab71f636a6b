/** Paces work that is measured in bytes: one for all who read, or that of a request, which pays for it. */
export interface Pace {
  /** Undefined when work on so many bytes may begin now. Otherwise resolves when it is its turn. */
  turn(this: void, bytes: number): Promise<void> | undefined;
  /** So much work was done without a turn of its own. */
  spend(this: void, bytes: number): void;
}

/** Of work that is done piece by piece, with turns between. */
export interface Pieces {
  /** To be awaited before work on so many bytes. */
  before(this: void, bytes: number): Promise<void> | undefined;
  /** All of it is done. */
  end(this: void): void;
}

/** Work on fewer bytes takes less time than to ask for a turn of its own, or little more: some 50 µs. */
export const pieceBytesMax = 8_192;

export const inPieces = ({ turn, spend }: Pace): Pieces => {
  let untaken = 0;
  return {
    before: (bytes) => {
      untaken += bytes;
      if (untaken < pieceBytesMax) return undefined;
      const taken = untaken;
      untaken = 0;
      return turn(taken);
    },
    end: () => {
      if (untaken > 0) spend(untaken);
      untaken = 0;
    },
  };
};
