/** Between two moments (`momentOf`): ids above `from`, up to `to`. */
export type Span = {
  /** 0 is since ever. */
  readonly from: bigint;
  /** Absent while it goes on. */
  readonly to?: bigint;
};

/** A change of something that is so or not. */
export type Turn = { readonly before: boolean; readonly now: boolean; readonly moment: bigint };

/**
 * The span during which something is so or, while it is not, the last such one. Undefined for what never changed. A turn
 * that changes nothing keeps the span.
 */
export const spanAfter = (span: Span | undefined, { before, now, moment }: Turn): Span | undefined => {
  if (now === before) return span;
  return now ? { from: moment } : { from: span?.from ?? 0n, to: moment };
};
