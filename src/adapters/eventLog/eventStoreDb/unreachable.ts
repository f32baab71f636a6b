/** Whether the events were written could not be found out in time. Append the same ids again. */
export class OutcomeUnknown extends Error {
  constructor(stream: string, cause: unknown) {
    super(`whether the append to ${stream} was written is not known; append the same events again`, { cause });
    this.name = 'OutcomeUnknown';
  }
}

/** The log could not be reached in time, or is too busy. Nothing was written. */
export class LogUnreachable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'LogUnreachable';
  }
}
