/** The operator who has called a verb. */
export type VerbCall = {
  /** Tells the operator how far the work is, in a line. */
  readonly progress: (line: string) => void;
  /** The same on a terminal, in the place of the line before. Absent where lines are kept. */
  readonly redraw?: (line: string) => void;
  /** The operator has gone, or the server stops. */
  readonly signal: AbortSignal;
};
