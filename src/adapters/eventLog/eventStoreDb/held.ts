import {
  VersionConflict,
  type Appended,
  type ExpectedRevision,
  type StoredEvent,
} from '../../../kernel/ports/eventLog.js';
import { pause } from '../../../kernel/timing.js';
import { duplicateAppends } from '../appendRules.js';
import { noStreamRevision, type AppendAnswer, type Proposal, type WireRevision } from './batchAppend.js';
import { knownStreams } from './knownStreams.js';
import type { EventStoreReads } from './reads.js';

/**
 * Tells retries from new appends. The server compares ids only at the revisions that follow the expected one, and with
 * no expectation only among the events of the last minutes; the port promises more. So each append demands an exact
 * revision, and is sent only when all that the stream holds up to there is known not to be it. When the stream goes on
 * after that revision, the server refuses the append, and then the stream is read on.
 */
export interface Held extends Judge {
  /** Takes in events that a reader found in a stream, given by its full name, forwards from `from` on. */
  learn(stream: string, from: bigint, events: readonly StoredEvent[]): void;
}

/** Decides what is demanded of a stream for one append. */
export interface Judge {
  /** Answers without a promise when nothing has to be read. Throws `VersionConflict` and `InvalidAppend`. */
  before(proposal: Proposal, expected: ExpectedRevision): StoredVerdict | Promise<StoredVerdict>;
  /** After the server found the stream at another revision. */
  afterConflict(proposal: Proposal, expected: ExpectedRevision, actual: WireRevision): Promise<StoredVerdict>;
  written(
    proposal: Proposal,
    wire: WireRevision,
    answer: AppendAnswer & { is: 'written' },
  ): Appended | Promise<Appended>;
  /** After an append whose outcome is not known. */
  forget(proposal: Proposal): void;
}

/** Held already, or to be sent with this demand. */
export type StoredVerdict = { readonly appended: Appended } | { readonly wire: WireRevision };

/** Ids in memory, at about 90 bytes each. A stream that is not among them is read before it is appended to. */
const idsMax = 400_000;
const pageEvents = 500;
/** So often a stream is read for what the server has told of, with pauses that double: for about a quarter of a second. */
const looksMax = 8;

export const held = (reads: EventStoreReads): Held => {
  const known = knownStreams(idsMax);

  const caughtUp = async (stream: string): Promise<WireRevision> => {
    for (;;) {
      const from = (known.upTo(stream) ?? noStreamRevision) + 1n;
      const page = await reads.stream(stream, { from, limit: pageEvents });
      known.read(stream, from, page);
      if (page.length < pageEvents) return known.upTo(stream) ?? noStreamRevision;
    }
  };

  const placeOf = async ({ stream, ids }: Proposal): Promise<Appended | undefined> => {
    const place = duplicateAppends(
      ids.map((id) => ({ id })),
      (id) => known.placeOf(stream.full, id),
    );
    if (place === undefined) return undefined;
    const revision = BigInt(place.revision);
    const [event] = await reads.stream(stream.full, { from: revision, limit: 1 });
    if (event?.revision === revision && event.id === ids.at(-1)) return { revision, position: event.position };
    // A max count has cut it away since: the log need not remember it.
    known.forget(stream.full);
    return undefined;
  };

  const holdsAny = ({ stream, ids }: Proposal): boolean =>
    ids.some((id) => known.placeOf(stream.full, id) !== undefined);

  const withKnown = (proposal: Proposal, expected: ExpectedRevision, last: WireRevision) =>
    holdsAny(proposal)
      ? placeOf(proposal).then((appended) =>
          appended === undefined ? { wire: demand(proposal, expected, last) } : { appended },
        )
      : { wire: demand(proposal, expected, last) };

  return {
    before: (proposal, expected) => {
      const last = known.upTo(proposal.stream.full);
      // The server itself refuses when there are events, so none can be held.
      if (last === undefined && expected === 'noStream') return { wire: noStreamRevision };
      if (last === undefined || (typeof expected === 'bigint' && last < expected)) {
        return caughtUp(proposal.stream.full).then((now) => withKnown(proposal, expected, now));
      }
      return withKnown(proposal, expected, last);
    },
    afterConflict: async (proposal, expected, actual) => {
      const { full, plain } = proposal.stream;
      // Not even what was known is there: the stream is not the one that was read.
      if ((known.upTo(full) ?? noStreamRevision) > actual) known.forget(full);
      const last = await shown(() => caughtUp(full), actual);
      const appended = await placeOf(proposal);
      if (appended !== undefined) return { appended };
      const there = last > actual ? last : actual;
      if (expected === 'any' || (expected === 'exists' && there !== noStreamRevision)) return { wire: there };
      throw new VersionConflict(plain, expected, actual === noStreamRevision ? 'noStream' : actual);
    },
    written: ({ stream, ids }, wire, { revision, position }) => {
      if (revision === wire + BigInt(ids.length)) known.written(stream.full, wire, ids);
      else known.forget(stream.full);
      if (position !== undefined) return { revision, position };
      return placeOfStored(reads, stream.full, revision, ids);
    },
    forget: ({ stream }) => known.forget(stream.full),
    learn: (stream, from, events) => known.read(stream, from, events),
  };
};

/**
 * The server refuses by what it has written, and shows that only once it is in its index, a moment later. Until then
 * nobody can tell whether it is this very append. Truncated events are never shown.
 */
const shown = async (look: () => Promise<WireRevision>, actual: WireRevision): Promise<WireRevision> => {
  for (let looks = 1; ; looks += 1) {
    const last = await look();
    if (last >= actual || looks === looksMax) return last;
    await pause(2 ** looks);
  }
};

/** The revision demanded of a stream whose last revision is `last`, as far as we know. */
const demand = ({ stream }: Proposal, expected: ExpectedRevision, last: WireRevision): WireRevision => {
  if (expected === 'any') return last;
  if (expected === 'noStream') return noStreamRevision;
  const isThere = expected === 'exists' ? last !== noStreamRevision : expected >= 0n && expected <= last;
  if (!isThere) throw new VersionConflict(stream.plain, expected, last === noStreamRevision ? 'noStream' : last);
  return expected === 'exists' ? last : expected;
};

/** In a stream that was deleted softly, the server takes a repeated append for written although nothing is there. */
const placeOfStored = async (
  reads: EventStoreReads,
  stream: string,
  revision: bigint,
  ids: readonly string[],
): Promise<Appended> => {
  const [event] = await reads.stream(stream, { from: revision, limit: 1 });
  if (event?.id === ids.at(-1) && event?.revision === revision) return { revision, position: event.position };
  throw new Error(`the server acknowledged an append to ${stream} without storing it: the stream was deleted`);
};
