/**
 * Preloaded into a server of its own (`node --import`): its wall clock is ahead by `CLOCK_AHEAD_MILLIS`. Its monotonic
 * clock and its timers go as ever.
 */
const ahead = Number(process.env['CLOCK_AHEAD_MILLIS']);
const now = Date.now.bind(Date);

globalThis.Date = class extends Date {
  constructor(...of: readonly unknown[]) {
    // Whatever a Date can be made of; nothing is the time now.
    super(...((of.length === 0 ? [now() + ahead] : of) as [number]));
  }
  static override now(): number {
    return now() + ahead;
  }
} as DateConstructor;

export {};
