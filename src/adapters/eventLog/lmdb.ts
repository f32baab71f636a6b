import type { Millis } from '../../kernel/ids.js';
import { VersionConflict, type Appended, type EventLog, type StreamAppend } from '../../kernel/ports/eventLog.js';
import { copyClosedLmdb } from '../dataFolder/copyLmdb.js';
import { hasLmdbFile } from '../dataFolder/lmdbFile.js';
import { checkAppend, checkAppends, checkMaxCount, isAsExpected, onlyPlace, type StoredPlace } from './appendRules.js';
import { committer, type AppendCommitter } from './lmdb/committer.js';
import { feed } from './feed.js';
import { heads, type Heads } from './lmdb/heads.js';
import { openIndexStore } from './lmdb/indexStore.js';
import { logReader, type LogReader } from './lmdb/logReader.js';
import { firstKept, logFileIn, logIn, openLogStore, settingsOf } from './lmdb/logStore.js';
import { packedId } from './lmdb/record.js';
import { streamIndex, type StreamIndex } from './lmdb/streamIndex.js';

export type LmdbEventLogNeeds = {
  /**
   * Made when it is not there. One process at a time may have it open: this adapter keeps in memory what streams and
   * positions are next. The lock that sees to it is the server's, not the adapter's.
   */
  readonly folder: string;
  readonly now: () => Millis;
};

/** Whether there is a log already. Makes nothing. */
export const hasLmdbLog = (folder: string): boolean => hasLmdbFile(logFileIn(folder));

/** The files that are copied: the index follows from them. */
export const logFilesIn = (folder: string): readonly string[] => [logFileIn(folder)];

/** A log that can be copied while it is written to. */
export interface LmdbEventLog extends EventLog {
  /** Into a folder of the same form, without the index, which follows from the log. As of one moment. */
  copyTo(this: void, folder: string): Promise<void>;
}

/** The same for a log that no process has open. */
export const copyClosedLog = (folder: string, target: string): Promise<void> => {
  const placed = (of: string) => ({ path: logIn(of), file: logFileIn(of) });
  return copyClosedLmdb(placed(folder), placed(target));
};

/**
 * The event log in two LMDB environments of its own: the log, and an index that follows from it. Reads, like
 * subscriptions, see only what is durable. In a stream with a max count a retry is recognised for as long as the event
 * is among the newest `maxCount` or the 32 before them. Throws `DamagedRecord` when a record that the index does not
 * have yet is damaged, and `DamagedFile`.
 */
export const lmdbEventLog = async (needs: LmdbEventLogNeeds): Promise<LmdbEventLog> => {
  const { reader, known, commits, following, copyTo, release } = await partsOf(needs);
  let closing: Promise<void> | undefined;
  const checkOpen = (): void => {
    if (closing !== undefined) throw new Error('the log is closed');
  };
  const readable = async (): Promise<void> => {
    checkOpen();
    await commits.recovering;
  };
  return {
    append: async (stream, events, expected) => {
      checkOpen();
      checkAppend(stream, events);
      commits.checkReady();
      return onlyPlace(await append(commits, known, [{ stream, events, expected }]));
    },
    appendAll: async (appends) => {
      checkOpen();
      checkAppends(appends);
      commits.checkReady();
      return append(commits, known, appends);
    },
    readStream: async (stream, read) => {
      await readable();
      return reader.readStream(stream, read);
    },
    readAll: async (read) => {
      await readable();
      return reader.readAll(read);
    },
    subscribe: (after) => {
      checkOpen();
      return following.subscribe(after);
    },
    setMaxCount: async (stream, maxCount) => {
      checkOpen();
      checkMaxCount(stream, maxCount);
      commits.checkReady();
      const head = known.of(stream);
      await commits.change(head, { maxCount, floor: firstKept(head.settings, head.revision) });
    },
    maxCountOf: async (stream) => {
      await readable();
      const { maxCount } = known.of(stream).settings;
      return Number.isFinite(maxCount) ? maxCount : undefined;
    },
    end: async () => {
      await readable();
      return BigInt(commits.durable);
    },
    copyTo: async (target) => {
      await readable();
      await copyTo(logIn(target));
    },
    close: () => (closing ??= release()),
  };
};

// Everything up to the first wait happens in the turn of the call: that makes positions follow the calls.
const append = async (
  commits: AppendCommitter,
  known: Heads,
  appends: readonly StreamAppend[],
): Promise<readonly Appended[]> => {
  const looked = appends.map((one) => lookedAt(known, one));
  // An answer that rests on events which may still be on their way is not true until they have arrived.
  const arriving = looked.flatMap(({ head: { settled }, isAsWanted }) =>
    isAsWanted || settled === undefined ? [] : [settled],
  );
  const wrong = looked.find(({ held, isAsWanted }) => held === undefined && !isAsWanted);
  if (wrong !== undefined) {
    const { stream, expected, revision } = wrong;
    await Promise.all(arriving);
    throw new VersionConflict(stream, expected, revision === -1 ? 'noStream' : BigInt(revision));
  }
  const appending = looked.every(({ held }) => held !== undefined) ? undefined : commits.append();
  const places = looked.map(({ head, events, ids, held }) => held ?? appending?.put(head, events, ids));
  await appending?.settled;
  await Promise.all(arriving);
  return places.flatMap((place) => (place === undefined ? [] : placed(place)));
};

const lookedAt = (known: Heads, { stream, events, expected }: StreamAppend) => {
  const head = known.of(stream);
  const ids = events.map(({ id }) => packedId(id));
  const held = known.held(head, ids);
  const isAsWanted = held === undefined && isAsExpected(head.revision, expected);
  return { stream, events, expected, head, ids, held, isAsWanted, revision: head.revision };
};

const placed = ({ revision, position }: StoredPlace): Appended => ({
  revision: BigInt(revision),
  position: BigInt(position),
});

const partsOf = async ({ folder, now }: LmdbEventLogNeeds) => {
  const store = openLogStore(folder);
  const index = streamIndex(openIndexStore(folder));
  const reader = logReader(store, index);
  await catchUp(reader, index);
  const known = heads(index, (stream) => settingsOf(store, stream));
  const following = feed({
    end: () => BigInt(commits.durable),
    read: async (from, limit) => {
      await commits.recovering;
      return reader.readAll({ from, limit });
    },
  });
  const reopen = async (): Promise<void> => {
    await index.reopen();
    await store.reopen();
    await catchUp(reader, index);
  };
  const commits = committer({
    store,
    index,
    known,
    now,
    last: () => reader.last(),
    arrived: (events) => {
      const [first] = events;
      // Positions are dense here.
      following.publish(events, first === undefined ? BigInt(commits.durable) : first.position - 1n);
    },
    reopen,
  });
  const release = async (): Promise<void> => {
    following.close();
    await commits.close();
    await index.close();
    await store.close();
  };
  return { reader, known, commits, following, copyTo: (target: string) => store.copyTo(target), release };
};

/** Shows the index what the log has and it does not: a little after a crash, everything when it was deleted. */
const catchUp = async (reader: LogReader, index: StreamIndex): Promise<void> => {
  // A log that was put back from an older backup.
  if (index.upTo() > reader.last()) await index.clear();
  for (const segment of reader.segmentsAfter(index.upTo())) {
    index.add(segment);
    await index.room();
  }
};
