import { randomUUID } from 'node:crypto';
import type { ResolvedEvent } from '@eventstore/db-client';
import { VersionConflict } from '../../../kernel/ports/eventLog.js';
import { noStreamRevision, type WireRevision } from './batchAppend.js';
import type { Judge } from './held.js';
import type { EventStoreReads } from './reads.js';
import type { Writer } from './writer.js';

/** The max counts of streams, by their full names. */
export interface MaxCounts {
  set(stream: string, maxCount: number): Promise<void>;
  of(stream: string): Promise<number | undefined>;
}

export const maxCounts = (reads: EventStoreReads, writer: Writer): MaxCounts => ({
  set: setMaxCount(reads, writer),
  of: async (stream) => {
    const { $maxCount } = contentOf(await reads.newest(metadataOf(stream)));
    return typeof $maxCount === 'number' ? $maxCount : undefined;
  },
});

/** The server keeps a stream's metadata as the newest event of the stream of this name. */
const metadataOf = (stream: string): string => `$$${stream}`;

/**
 * Sets the max count in the stream's metadata and leaves what else is there, access rights for example. Not through the
 * client: that appends without an expectation, and asks the server what it can do first, with no time limit.
 */
const setMaxCount =
  (reads: EventStoreReads, writer: Writer) =>
  async (stream: string, maxCount: number): Promise<void> => {
    const name = metadataOf(stream);
    for (;;) {
      const newest = await reads.newest(name);
      const before = contentOf(newest);
      if (before['$maxCount'] === maxCount) return;
      const content = { ...before, ...(await stillCut(reads, stream, before, maxCount)), $maxCount: maxCount };
      const data = Buffer.from(printed(content));
      const event = { id: randomUUID(), type: '$metadata', data, metadata: new Uint8Array(0) };
      const expected = newest?.event?.revision ?? 'noStream';
      try {
        await writer.append({ stream: { full: name, plain: name }, events: [event], expected, judge: literally });
        return;
      } catch (error) {
        // Somebody else changed it in between: their change is kept.
        if (!(error instanceof VersionConflict)) throw error;
      }
    }
  };

/**
 * To the server a max count is a matter of reading: a larger one would bring events back that were cut. Truncation keeps
 * them away.
 */
const stillCut = async (
  reads: EventStoreReads,
  stream: string,
  { $maxCount: before, $tb: truncated }: Content,
  maxCount: number,
): Promise<Content> => {
  if (typeof before !== 'number' || before >= maxCount) return {};
  const last = (await reads.newest(stream))?.event?.revision;
  const first = last === undefined ? 0 : Number(last) - before + 1;
  return first > (typeof truncated === 'number' ? truncated : 0) ? { $tb: first } : {};
};

/**
 * The server truncates a deleted stream at its largest number. Parsing rounds that up to one that the server does not
 * take back: it would hold the metadata for unreadable, and the stream for not deleted.
 */
const deletedAt = 2n ** 63n - 1n;
const printed = (content: Content): string =>
  JSON.stringify(content).replace(`"$tb":${Number(deletedAt).toString()}`, () => `"$tb":${deletedAt.toString()}`);

type Content = Readonly<Record<string, unknown>>;

const contentOf = (newest: ResolvedEvent | undefined): Content => {
  const event = newest?.event;
  return event?.isJson === true && typeof event.data === 'object' && !Array.isArray(event.data) ? event.data : {};
};

/** The id is new with each call, so there are no retries to be found. */
const literally: Judge = {
  before: (_, expected) => ({ wire: typeof expected === 'bigint' ? expected : noStreamRevision }),
  afterConflict: async ({ stream }, expected, actual: WireRevision) => {
    throw new VersionConflict(stream.plain, expected, actual === noStreamRevision ? 'noStream' : actual);
  },
  written: (_, _wire, { revision, position }) => ({ revision, position: position ?? 0n }),
  forget: () => undefined,
};
