import { isSameMedia, mediaOf } from '../domain/messages/attached.js';
import { messageEvents, messageStream, type MessageEvent } from '../domain/messages/events.js';
import { evolve, initial, type AliveMessage } from '../domain/messages/state.js';
import { readEvents, type EventCodec } from '../kernel/codec.js';
import { apply, numberInMetadata, type EventOf, type Recorded } from '../kernel/event.js';
import type { Millis } from '../kernel/ids.js';
import { permission } from '../kernel/permissions.js';
import type { EventLog } from '../kernel/ports/eventLog.js';
import type { Sealer } from '../kernel/ports/sealer.js';

export type MessageHistory = {
  readonly log: Pick<EventLog, 'readStream'>;
  readonly codec: EventCodec;
  readonly sealer: Sealer;
};

type Edited = EventOf<MessageEvent, 'MessageEdited'>;

/** `paidUntil` is of the latest edit: should another one come meanwhile, nothing is done. */
export type Before = { readonly shown: AliveMessage; readonly editedAt?: Millis; readonly paidUntil: Millis };

/** Edits are paced, so that more than a page of them on their way at once is next to impossible. */
export const eventsPerReadMax = 100;

/**
 * The content that the message is to show once an edit is taken back. Edits around this one that are refused as well count for
 * nothing, so that no refused edit is what another one is undone to. Below a later edit that stands, only what this one
 * attached is taken back, as far as it still shows. Undefined where nothing is to be done, or the message is gone.
 */
export const shownBefore = async (
  { log, codec, sealer }: MessageHistory,
  edit: Recorded<Edited>,
  isRefused: IsRefused,
): Promise<Before | undefined> => {
  const stream = messageStream(edit.data.message);
  const stored = await log.readStream(stream, { from: edit.revision + 1n, limit: eventsPerReadMax });
  const later = await readEvents(codec, sealer, stored);
  const stands = await Promise.all(later.map(async (event) => !isJudged(event) || !(await isRefused(event))));
  const standingLater = later.filter((_, index) => stands[index]);
  const latest = later.at(-1) ?? edit;
  if (!isEdit(latest) || latest.data.editsPaidUntil === undefined) return undefined;
  const earlier = await standing({ log, codec, sealer }, edit, isRefused);
  if (earlier === undefined) return undefined;
  const [first] = await readEvents(codec, sealer, await log.readStream(stream, { from: 0n, limit: 1 }));
  const before = aliveFrom(first, earlier);
  if (before === undefined) return undefined;
  const paidUntil = latest.data.editsPaidUntil;
  const last = standingLater.at(-1);
  if (last === undefined) return { shown: before, paidUntil, ...editDate(earlier) };
  const now = aliveFrom(first, last);
  if (now === undefined || standingLater.some(attachesByRight)) return undefined;
  if (!isStillShown(aliveFrom(first, edit), { before, now })) return undefined;
  return { shown: { ...now, attached: before.attached }, paidUntil, ...editDate(last) };
};

type IsRefused = (edit: Recorded<Edited>) => Promise<boolean>;

/** It may have attached the same anew. */
const attachesByRight = ({ metadata: { needs } }: Recorded): boolean =>
  ((numberInMetadata(needs) ?? 0n) & permission.sendMedia) !== 0n;

/** Whether the edit changed what is attached, and a later one carried that on. */
const isStillShown = (
  refused: AliveMessage | undefined,
  { before, now }: { readonly before: AliveMessage; readonly now: AliveMessage },
): boolean =>
  refused !== undefined &&
  !isSameMedia(mediaOf(before), mediaOf(refused)) &&
  isSameMedia(mediaOf(now), mediaOf(refused));

/** The latest event before the edit that is not a refused edit. */
const standing = async (
  { log, codec, sealer }: MessageHistory,
  edit: Recorded<Edited>,
  isRefused: IsRefused,
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
const isJudged = (event: Recorded): event is Recorded<Edited> => isEdit(event) && event.metadata.asOf !== undefined;

const isEdit = (event: Recorded): event is Recorded<Edited> => event.type === messageEvents.MessageEdited.type;

/** As messages are always folded: each edit has all that the message shows since. Undefined where it is gone. */
const aliveFrom = (first: Recorded | undefined, latest: Recorded): AliveMessage | undefined => {
  // They are of the stream of a message.
  const [one, other] = [first, latest] as [Recorded<MessageEvent> | undefined, Recorded<MessageEvent>];
  if (one === undefined) return undefined;
  const begun = apply(evolve, initial, one);
  const state = latest.revision === 0n ? begun : apply(evolve, begun, other);
  return state.status === 'alive' ? state : undefined;
};

const editDate = (event: Recorded): { readonly editedAt?: Millis } => {
  if (!isEdit(event)) return {};
  const { data, at } = event;
  if (data.because === undefined) return { editedAt: at };
  return data.editedAt === undefined ? {} : { editedAt: data.editedAt };
};
