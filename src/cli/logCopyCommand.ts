import { logPlace, type LogPlace } from '../admin/logPlace.js';
import type { LogCopyPlaces } from '../admin/verb.js';
import type { VerbCall } from '../admin/verbCall.js';
import type { EventLog } from '../kernel/ports/eventLog.js';
import { copyLog, type Copied, type CopyProgress } from './logCopy.js';
import { PlainError } from './plainError.js';

export type CopyCommand = LogCopyPlaces &
  VerbCall & {
    readonly open: (place: LogPlace, options: { readonly mayBeNew: boolean }) => Promise<EventLog>;
  };

/** How often progress is told at most. */
const progressMillis = 1_000;

/** Copies between two places, tells the progress, and says what came of it. */
export const copyBetween = async ({ from, to, open, progress, signal }: CopyCommand): Promise<string> => {
  const source = await open(placeOf(from), { mayBeNew: false });
  try {
    const target = await open(placeOf(to), { mayBeNew: true });
    try {
      return resultOf(await copyLog({ from: source, to: target, signal, progress: seldom(progress) }));
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
};

const placeOf = (text: string): LogPlace => {
  const place = logPlace(text);
  if (place === undefined) throw new PlainError('a log is at lmdb:FOLDER, esdb://… or esdb+discover://…');
  return place;
};

const seldom = (tell: VerbCall['progress']): ((progress: CopyProgress) => void) => {
  let told = Number.NEGATIVE_INFINITY;
  return ({ doing, events }) => {
    if (performance.now() - told < progressMillis) return;
    told = performance.now();
    tell(`${doing}: ${events.toString()} events`);
  };
};

const resultOf = ({ copied, found, verified, bytes, capped }: Copied): string =>
  [
    `copied    ${copied.toString()} events, ${found.toString()} were there already`,
    `verified  ${verified.toString()} events: stream, id, type, order and ${bytes.toString()} bytes are the same, so are ${capped.toString()} max counts`,
    '',
  ].join('\n');
