/** Milliseconds on the clock that all processes of the machine share. */
export const sharedMillis = (): number => Number(process.hrtime.bigint()) / 1e6;
