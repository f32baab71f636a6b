import type { StoredPlace } from '../appendRules.js';

/**
 * Which events the streams hold that this process read or wrote last. The server would write an event again whose id
 * lies further back than the expected revision; here such a retry is seen before it is sent.
 */
export interface KnownStreams {
  /** The revision up to which all that can be read of the stream is known; `undefined` when nothing is. */
  upTo(stream: string): bigint | undefined;
  /** For `heldAlready`: the revision counts, the position is 0. */
  placeOf(stream: string, id: string): StoredPlace | undefined;
  /** Takes in what a read from `from` on gave, when nothing is missing between it and what is known. */
  read(stream: string, from: bigint, events: readonly { readonly id: string; readonly revision: bigint }[]): void;
  /** Takes in what was written after the revision `after`; -1 when it began the stream. */
  written(stream: string, after: bigint, ids: readonly string[]): void;
  forget(stream: string): void;
}

type Known = { last: bigint; readonly revisions: Map<string, number> };

export const knownStreams = (idsMax: number): KnownStreams => {
  // A Map keeps the order of insertion: the first is the one that was used least recently.
  const streams = new Map<string, Known>();
  let ids = 0;

  const used = (stream: string): Known | undefined => {
    const known = streams.get(stream);
    if (known === undefined) return undefined;
    streams.delete(stream);
    streams.set(stream, known);
    return known;
  };
  const forget = (stream: string): void => {
    ids -= streams.get(stream)?.revisions.size ?? 0;
    streams.delete(stream);
  };
  const add = (stream: string, known: Known, events: readonly { readonly id: string; readonly revision: bigint }[]) => {
    const before = known.revisions.size;
    for (const { id, revision } of events) {
      if (revision <= known.last) continue;
      // The first of two events with one id is the one that a retry means.
      if (!known.revisions.has(id)) known.revisions.set(id, Number(revision));
      known.last = revision;
    }
    ids += known.revisions.size - before;
    streams.set(stream, known);
    while (ids > idsMax && streams.size > 1) {
      const oldest = streams.keys().next();
      if (oldest.done !== true) forget(oldest.value);
    }
  };

  return {
    upTo: (stream) => streams.get(stream)?.last,
    placeOf: (stream, id) => {
      const revision = streams.get(stream)?.revisions.get(id);
      return revision === undefined ? undefined : { revision, position: 0 };
    },
    read: (stream, from, events) => {
      const known = used(stream) ?? (from === 0n ? { last: -1n, revisions: new Map<string, number>() } : undefined);
      if (known === undefined || events.length === 0 || from > known.last + 1n) return;
      add(stream, known, events);
    },
    written: (stream, after, newIds) => {
      const known = used(stream) ?? (after === -1n ? { last: -1n, revisions: new Map<string, number>() } : undefined);
      if (known?.last !== after) return;
      add(
        stream,
        known,
        newIds.map((id, index) => ({ id, revision: after + 1n + BigInt(index) })),
      );
    },
    forget,
  };
};
