import type { Head } from './head.js';
import { duplicateAppends, type StoredPlace } from '../appendRules.js';
import { blockEvents, blockOf, type Entry } from './indexStore.js';
import { firstKept, type Settings } from './logStore.js';
import { rememberedMin } from './gathered.js';
import type { StreamIndex } from './streamIndex.js';

/** The heads of the streams that were used last; all others are read from the index when they are asked for. */
export interface Heads {
  of(stream: string): Head;
  /** See `heldAlready`. */
  held(head: Head, ids: readonly string[]): StoredPlace | undefined;
  /** Takes an event in that goes to the disk now. */
  push(head: Head, id: string, position: number): void;
  /** After a failed commit, because events on their way then never arrive. */
  forget(): void;
}

/** Between this many heads and twice as many are remembered, and all that have events on their way. */
const headsMax = 2_048;

export const heads = (index: StreamIndex, settings: (stream: string) => Settings): Heads => {
  // Two generations instead of an exact order of use: a Map that is always full and always deletes is slow.
  let young = new Map<string, Head>();
  let old = new Map<string, Head>();
  const remember = (head: Head): void => {
    if (young.size >= headsMax) {
      const leaving = old;
      old = young;
      young = new Map();
      // A head with events on their way is the only one who knows of them.
      for (const one of leaving.values()) if (one.inFlight > 0) young.set(one.stream, one);
    }
    young.set(head.stream, head);
  };
  return {
    of: (stream) => {
      let head = young.get(stream);
      if (head !== undefined) return head;
      head = old.get(stream);
      if (head === undefined) head = headOf(stream, index.newest(stream), settings(stream));
      else old.delete(stream);
      remember(head);
      return head;
    },
    held: (head, ids) => {
      if (head.revision === -1) return undefined;
      const { stream, blocks } = head;
      const wanted = ids.map((id) => ({ id }));
      return duplicateAppends(wanted, (id) => head.ids.get(id) ?? index.placeOf(stream, id, blocks));
    },
    push: (head, id, position) => {
      head.revision += 1;
      head.inFlight += 1;
      head.ids.set(id, { revision: head.revision, position });
    },
    forget: () => {
      young = new Map();
      old = new Map();
    },
  };
};

/** The event at this place is durable, and the index knows it. */
export const arrived = (head: Head, revision: number): void => {
  head.inFlight -= 1;
  if ((revision + 1) % blockEvents !== 0) return;
  head.blocks = blockOf(revision) + 1;
  for (const [id, place] of head.ids) if (place.revision <= revision) head.ids.delete(id);
};

const headOf = (stream: string, newest: readonly Entry[], settings: Settings): Head => {
  const revision = newest[0]?.revision ?? -1;
  const blocks = blockOf(revision + 1);
  const ids = new Map<string, StoredPlace>();
  for (const entry of newest) if (blockOf(entry.revision) === blocks) ids.set(entry.id, entry);
  const swept = Math.max(0, firstKept(settings, revision) - rememberedMin);
  return { stream, revision, settings, settled: undefined, inFlight: 0, blocks, ids, swept };
};
