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
 * The spans during which something was or is so, the oldest first. None for what never changed. A turn that changes
 * nothing keeps the spans.
 */
export const spansAfter = (spans: readonly Span[], { before, now, moment }: Turn): readonly Span[] => {
  if (now === before) return spans;
  if (now) return [...spans, { from: moment }];
  return [...spans.slice(0, -1), { from: spans.at(-1)?.from ?? 0n, to: moment }];
};

/** So many spans are remembered of one thing: of a role that a member has, or of one that shows or hides a channel. */
export const spansMax = 8;
/** All that are remembered of one kind together, so that a document has a bound: of many things fewer are kept each. */
export const spansTogetherMax = 256;

/** How many spans of each are kept among so many things; at least one, and at most `spansMax`. */
export const spansKeptAmong = (things: number): number =>
  Math.max(1, Math.min(spansMax, Math.floor(spansTogetherMax / Math.max(1, things))));

/** At most so many spans: the oldest ones are one span, together with the time between them. */
export const withOldestMerged = (spans: readonly Span[], max: number): readonly Span[] => {
  const [merged, ...others] = spans.slice(-max);
  const [oldest] = spans;
  return merged === undefined || oldest === undefined ? [] : [{ ...merged, from: oldest.from }, ...others];
};
