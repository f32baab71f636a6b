import { isRejection, reject, type Rejection } from './decider.js';
import type { Millis } from './ids.js';

/** Edits of one thing that may come at once. */
export const editsAtOnceMax = 30;
/** From then on one edit per so many milliseconds, however many in all: bots live from editing one message. */
export const editPauseMillis = 10_000;

const aheadMillisMax = editsAtOnceMax * editPauseMillis;

/**
 * Each edit is paid for with `editPauseMillis` of time, at most `editsAtOnceMax` edits in advance. The time up to which
 * edits are paid stands in the edit's event, so it follows from the log on each node and after each start, and from the
 * newest edit alone. Absent before the first edit, and in events of former releases.
 *
 * A clock that was set back, or that of another node, may be behind the event. By up to one pause it is believed; beyond
 * it the edit is let through, so that nobody waits for a wrong clock.
 */
export const editPaid = (paidUntil: Millis | undefined, at: Millis): Millis | Rejection => {
  const before = Math.max(paidUntil ?? at, at);
  const isClockBehind = before - at > aheadMillisMax + editPauseMillis;
  const paid = (isClockBehind ? at + aheadMillisMax : before + editPauseMillis) as Millis;
  const waitMillis = Math.min(paid - at - aheadMillisMax, editPauseMillis);
  return waitMillis <= 0 ? paid : { ...reject('RATE_LIMITED'), retryAfterSeconds: Math.ceil(waitMillis / 1000) };
};

type PacedEvent = { readonly data: { readonly editsPaidUntil?: Millis } };

/** The events of one edit with the time up to which they are paid; a refusal when it is too early. No events cost nothing. */
export const paced = <E extends PacedEvent>(
  events: readonly E[],
  paidUntil: Millis | undefined,
  at: Millis,
): readonly E[] | Rejection => {
  if (events.length === 0) return events;
  const editsPaidUntil = editPaid(paidUntil, at);
  if (isRejection(editsPaidUntil)) return editsPaidUntil;
  return events.map((event) => ({ ...event, data: { ...event.data, editsPaidUntil } }));
};
