import {
  eventBytesMax,
  eventsPerAppendMax,
  InvalidAppend,
  streamNameLengthMax,
  typeLengthMax,
  type Appended,
  type ExpectedRevision,
  type NewEvent,
  type StreamAppend,
} from '../../kernel/ports/eventLog.js';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const loneSurrogate = /\p{Surrogate}/u;

/**
 * Throws `InvalidAppend` for an append that no log may take, with any content of the log. The same for every engine.
 */
export const checkAppend = (stream: string, events: readonly NewEvent[]): void => {
  checkName('stream', stream, streamNameLengthMax);
  if (events.length === 0) throw new InvalidAppend('an append needs at least one event');
  checkCount(events.length);
  for (const event of events) checkEvent(event);
  if (events.length > 1 && new Set(events.map(({ id }) => id)).size < events.length) {
    throw new InvalidAppend('the same event id twice in one append');
  }
};

/** The same for an append to several streams. */
export const checkAppends = (appends: readonly StreamAppend[]): void => {
  if (appends.length === 0) throw new InvalidAppend('an append needs at least one stream');
  for (const { stream, events } of appends) checkAppend(stream, events);
  if (new Set(appends.map(({ stream }) => stream)).size < appends.length) {
    throw new InvalidAppend('the same stream twice in one append');
  }
  checkCount(appends.reduce((sum, { events }) => sum + events.length, 0));
};

const checkCount = (events: number): void => {
  if (events <= eventsPerAppendMax) return;
  throw new InvalidAppend(`${events.toString()} events, at most ${eventsPerAppendMax.toString()} at a time`);
};

const checkEvent = ({ id, type, data, metadata }: NewEvent): void => {
  if (!uuid.test(id)) throw new InvalidAppend(`an event id must be a lower-case UUID, not ${id.slice(0, 80)}`);
  checkName('type', type, typeLengthMax);
  checkBytes(`the data of ${type}`, data);
  checkBytes(`the metadata of ${type}`, metadata);
};

// A lone surrogate has no UTF-8: it would come back as another name than it was stored under.
const checkName = (what: string, name: string, lengthMax: number): void => {
  if (name.length === 0) throw new InvalidAppend(`the ${what} must not be empty`);
  if (name.length > lengthMax) {
    throw new InvalidAppend(`the ${what} is longer than ${lengthMax.toString()} characters`);
  }
  if (loneSurrogate.test(name)) throw new InvalidAppend(`the ${what} is not well-formed Unicode`);
};

const checkBytes = (what: string, bytes: Uint8Array): void => {
  if (bytes.length <= eventBytesMax) return;
  throw new InvalidAppend(
    `${what} takes ${bytes.length.toString()} bytes, at most ${eventBytesMax.toString()} are allowed`,
  );
};

/** Throws `InvalidAppend` unless `maxCount` is a whole number of at least 1. */
export const checkMaxCount = (stream: string, maxCount: number): void => {
  checkName('stream', stream, streamNameLengthMax);
  if (!Number.isSafeInteger(maxCount) || maxCount < 1) {
    throw new InvalidAppend(`a max count is a whole number of at least 1, not ${maxCount.toString()}`);
  }
};

/** Whether a stream whose last revision is `revision` (-1: it has no events) is as the appender believes. */
export const isAsExpected = (revision: number, expected: ExpectedRevision): boolean => {
  if (expected === 'any') return true;
  if (expected === 'noStream') return revision === -1;
  if (expected === 'exists') return revision >= 0;
  return expected === BigInt(revision) && revision >= 0;
};

/** Where an event is. Revisions and positions are plain numbers inside the adapters: they stay far below 2^53. */
export type StoredPlace = { readonly revision: number; readonly position: number };

/**
 * The place of the last event when the stream holds all of them already, `undefined` when it holds none.
 * Throws `InvalidAppend` when it holds some, or all in another order.
 */
export const duplicateAppends = (
  events: readonly Pick<NewEvent, 'id'>[],
  placeOf: (id: string) => StoredPlace | undefined,
): StoredPlace | undefined => {
  let last: StoredPlace | undefined;
  for (const [index, { id }] of events.entries()) {
    const place = placeOf(id);
    if ((place === undefined) !== (last === undefined) && index > 0) {
      throw new InvalidAppend('the stream holds some of these events and not others');
    }
    if (place === undefined) continue;
    if (last !== undefined && place.revision <= last.revision) {
      throw new InvalidAppend('the stream holds these events in another order');
    }
    last = place;
  }
  return last;
};

/** The place in the one stream that was appended to. */
export const onlyPlace = ([place]: readonly Appended[]): Appended => {
  if (place === undefined) throw new Error('an append to one stream has one place');
  return place;
};
