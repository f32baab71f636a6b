import { systemTimers } from '../../adapters/system/timers.js';
import type { VerbCall } from '../../admin/verbCall.js';
import { inWords, type BuildProgress } from '../../kernel/buildProgress.js';

/** How often the operator is told: on a terminal, and where lines are kept. */
export const redrawMillis = 500;
export const lineMillis = 10_000;

/** Tells of the build until the answer is called: a bar on a terminal, lines elsewhere. */
export const toldProgress = async (
  { progress: line, redraw }: Pick<VerbCall, 'progress' | 'redraw'>,
  generation: string,
  progress: () => Promise<BuildProgress>,
): Promise<() => void> => {
  let cancel: () => void = () => undefined;
  let isOver = false;
  const tell = async (): Promise<void> => {
    const found = await progress();
    if (isOver) return;
    if (redraw === undefined) line(`${generation}: ${inWords(found)}`);
    else redraw(`${generation} ${bar(found.percent)} ${inWords(found)}`);
  };
  const again = (): void => {
    cancel = systemTimers.later(redraw === undefined ? lineMillis : redrawMillis, () => {
      // A log that does not answer is told of where it is followed.
      void tell()
        .catch(() => undefined)
        .then(() => {
          if (!isOver) again();
        });
    });
  };
  await tell();
  again();
  return () => {
    isOver = true;
    cancel();
  };
};

const barColumns = 20;

const bar = (percent: number): string => {
  const full = Math.round((percent / 100) * barColumns);
  return `[${'#'.repeat(full)}${'.'.repeat(barColumns - full)}]`;
};
