import type { UpdateName, Updates } from '../gen/rpcs.js';
import type { Update } from '../gen/updates.js';
import { UpdatesOverrun } from './errors.js';
import { shielded } from './shielded.js';

/** Updates that wait for a slow reader of the iterator. */
export const updatesWaitingMax = 10_000;

export type UpdateListener<Name extends UpdateName> = (value: Updates[Name]['value']) => void;

/** The updates of one connection after the other, to listeners and to iterators. */
export interface UpdateFeed extends AsyncIterable<Update> {
  /** Returns the way to stop listening. An error that a listener throws is thrown outside of the client. */
  on<Name extends UpdateName>(this: void, name: Name, listener: UpdateListener<Name>): () => void;
  /**
   * Every update from this call on, in order, until the client is closed. A reader so slow that more than
   * `updatesWaitingMax` updates wait gets those that wait, and then `UpdatesOverrun`.
   */
  [Symbol.asyncIterator](): AsyncIterator<Update, undefined>;
}

export interface UpdateSource extends UpdateFeed {
  emit(this: void, update: Update): void;
  end(this: void): void;
}

export const updateSource = (): UpdateSource => {
  const listeners = new Map<string, Set<(value: unknown) => void>>();
  const readers = new Set<Reader>();
  let ended = false;
  return {
    on: (name, given) => {
      // An own function for each call: the same listener may be given twice, and stopped once.
      // Listeners are kept under the name of the update whose value they take.
      const listener = (value: unknown): void => given(value as Updates[typeof name]['value']);
      const of = listeners.get(name) ?? new Set();
      listeners.set(name, of.add(listener));
      return () => of.delete(listener);
    },
    emit: (update) => {
      for (const [name, value] of Object.entries(update))
        for (const listener of [...(listeners.get(name) ?? [])]) shielded(() => listener(value));
      for (const reader of readers) reader.push(update);
    },
    end: () => {
      ended = true;
      for (const reader of readers) reader.end();
      readers.clear();
    },
    [Symbol.asyncIterator]: () => {
      const reader = newReader(() => readers.delete(reader));
      if (ended) reader.end();
      else readers.add(reader);
      return reader;
    },
  };
};

interface Reader extends AsyncIterator<Update, undefined> {
  push(this: void, update: Update): void;
  end(this: void): void;
}

type Result = IteratorResult<Update, undefined>;
const done: Result = { done: true, value: undefined };

/** `left` is called once no more is to be pushed. */
const newReader = (left: () => void): Reader => {
  const waiting: Update[] = [];
  // A reader that asks again before its last call is answered is answered in turn.
  const asking: ((result: Result) => void)[] = [];
  let state: 'running' | 'overrun' | 'ended' = 'running';

  const end = (): void => {
    if (state === 'running') state = 'ended';
    for (const answer of asking.splice(0)) answer(done);
  };
  return {
    end,
    push: (update) => {
      const answer = asking.shift();
      if (answer !== undefined) answer({ done: false, value: update });
      else if (waiting.length < updatesWaitingMax) waiting.push(update);
      else {
        state = 'overrun';
        left();
      }
    },
    next: () => {
      const update = waiting.shift();
      if (update !== undefined) return Promise.resolve({ done: false, value: update });
      if (state === 'running') return new Promise((resolve) => asking.push(resolve));
      if (state === 'ended') return Promise.resolve(done);
      state = 'ended';
      return Promise.reject(new UpdatesOverrun(updatesWaitingMax));
    },
    return: () => {
      left();
      waiting.length = 0;
      state = 'ended';
      end();
      return Promise.resolve(done);
    },
  };
};
