import { messageEvents, messageStream, type MessageEvent } from '../domain/messages/events.js';
import { evolve, initial, type AliveMessage } from '../domain/messages/state.js';
import { readEvents, type EventCodec } from '../kernel/codec.js';
import { apply, type EventOf, type Recorded } from '../kernel/event.js';
import type { Millis } from '../kernel/ids.js';
import type { EventLog } from '../kernel/ports/eventLog.js';
import type { Sealer } from '../kernel/ports/sealer.js';

export type MessageHistory = {
  readonly log: Pick<EventLog, 'readStream'>;
  readonly codec: EventCodec;
  readonly sealer: Sealer;
};

type Edited = EventOf<MessageEvent, 'MessageEdited'>;

/** `paidUntil` is of the latest edit, which is taken back with this one. */
export type Before = { readonly shown: AliveMessage; readonly editedAt?: Millis; readonly paidUntil: Millis };

/** Edits are paced, so that more than a page of them on their way at once is next to impossible. */
export const eventsPerReadMax = 100;

/**
 * The message as it was before an edit that is to be taken back. Undefined where nothing is to be done: a later edit
 * stands, or the message is gone. Edits around this one that are refused as well count for nothing, so that no refused
 * edit is what another one is undone to.
 */
export const shownBefore = async (
  { log, codec, sealer }: MessageHistory,
  edit: Recorded<Edited>,
  isRefused: (edit: Recorded<Edited>) => Promise<boolean>,
): Promise<Before | undefined> => {
  const stream = messageStream(edit.data.message);
  const later = await log.readStream(stream, { from: edit.revision + 1n, limit: eventsPerReadMax });
  let latest = edit;
  for (const event of await readEvents(codec, sealer, later)) {
    if (!isJudged(event) || !(await isRefused(event))) return undefined;
    latest = event;
  }
  const paidUntil = latest.data.editsPaidUntil;
  const earlier = await standing({ log, codec, sealer }, edit, isRefused);
  if (earlier === undefined || paidUntil === undefined) return undefined;
  const [first] = await readEvents(codec, sealer, await log.readStream(stream, { from: 0n, limit: 1 }));
  const shown = foldedFrom(first, earlier);
  return shown?.status === 'alive' ? { shown, paidUntil, ...editDate(earlier) } : undefined;
};

/** The latest event before the edit that is not a refused edit. */
const standing = async (
  { log, codec, sealer }: MessageHistory,
  edit: Recorded<Edited>,
  isRefused: (edit: Recorded<Edited>) => Promise<boolean>,
): Promise<Recorded | undefined> => {
  const stream = messageStream(edit.data.message);
  for (let from = edit.revision - 1n; from >= 0n; from -= 1n) {
    const page = await log.readStream(stream, { from, direction: 'backwards', limit: 1 });
    const [event] = await readEvents(codec, sealer, page);
    if (event === undefined) return undefined;
    if (!isJudged(event) || !(await isRefused(event))) return event;
  }
  return undefined;
};

/** An edit that says nothing of its rights was made by the server, or by a node that has the log to itself. */
const isJudged = (event: Recorded): event is Recorded<Edited> =>
  event.type === messageEvents.MessageEdited.type && event.metadata.asOf !== undefined;

/** As messages are always folded: each edit has all that the message shows since. */
const foldedFrom = (first: Recorded | undefined, latest: Recorded) => {
  // They are of the stream of a message.
  const [one, other] = [first, latest] as [Recorded<MessageEvent> | undefined, Recorded<MessageEvent>];
  if (one === undefined) return undefined;
  const begun = apply(evolve, initial, one);
  return latest.revision === 0n ? begun : apply(evolve, begun, other);
};

const editDate = (event: Recorded): { readonly editedAt?: Millis } => {
  if (event.type !== messageEvents.MessageEdited.type) return {};
  const { data, at } = event as Recorded<Edited>; // The type says which event it is.
  if (data.because === undefined) return { editedAt: at };
  return data.editedAt === undefined ? {} : { editedAt: data.editedAt };
};
