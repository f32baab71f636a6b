import type { EventLog } from '../kernel/ports/eventLog.js';
import { copyLog, type Copied, type CopyProgress } from './logCopy.js';
import type { LogPlace } from './logPlace.js';

export type CopyCommand = {
  readonly from: LogPlace;
  readonly to: LogPlace;
  readonly open: (place: LogPlace, options: { readonly mayBeNew: boolean }) => Promise<EventLog>;
  readonly output: NodeJS.WritableStream;
  readonly errors: NodeJS.WritableStream;
  readonly signal: AbortSignal;
};

/** How often progress is shown at most. */
const progressMillis = 1_000;

/** Copies between two places, with progress on `errors`, and says what came of it. */
export const copyBetween = async ({ from, to, open, output, errors, signal }: CopyCommand): Promise<void> => {
  const source = await open(from, { mayBeNew: false });
  try {
    const target = await open(to, { mayBeNew: true });
    try {
      output.write(resultOf(await copyLog({ from: source, to: target, signal, progress: progressOn(errors) })));
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
};

const progressOn = (errors: NodeJS.WritableStream): ((progress: CopyProgress) => void) => {
  let told = Number.NEGATIVE_INFINITY;
  return ({ doing, events }) => {
    if (performance.now() - told < progressMillis) return;
    told = performance.now();
    errors.write(`${doing}: ${events.toString()} events\n`);
  };
};

const resultOf = ({ copied, found, verified, bytes, capped }: Copied): string =>
  [
    `copied    ${copied.toString()} events, ${found.toString()} were there already`,
    `verified  ${verified.toString()} events: stream, id, type, order and ${bytes.toString()} bytes are the same, so are ${capped.toString()} max counts`,
    '',
  ].join('\n');
