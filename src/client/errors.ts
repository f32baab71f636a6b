/** The server refused. `code` follows HTTP's; docs/errors.md lists all. */
export class RequestRefused extends Error {
  readonly path: string;
  readonly code: number;
  /** The id by which the people who run the server find the request. */
  readonly traceId: string | undefined;
  /** After how many seconds to ask again, where the server says so. The connection stays open meanwhile. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    path: string,
    error: { readonly code: number; readonly message: string; readonly traceId?: string | undefined },
  ) {
    super(`${path}: ${error.message} (${error.code.toString()})`);
    this.name = 'RequestRefused';
    this.path = path;
    this.code = error.code;
    this.traceId = error.traceId;
    this.retryAfterSeconds = secondsIn(error.message);
  }
}

/** The protocol has no field for it. */
const secondsIn = (message: string): number | undefined => {
  const [, seconds] = /\(retry after (\d{1,9}) s\)$/.exec(message) ?? [];
  return seconds === undefined ? undefined : Number(seconds);
};

/** The connection was lost before the answer came: the request may have been carried out, or not. */
export class ConnectionLost extends Error {
  readonly path: string;

  constructor(path: string) {
    super(`${path}: the connection was lost before the answer came`);
    this.name = 'ConnectionLost';
    this.path = path;
  }
}

/** No answer came in time: the request may have been carried out, or may still be. */
export class RequestTimedOut extends Error {
  readonly path: string;

  constructor(path: string, millis: number) {
    super(`${path}: no answer within ${millis.toString()} ms`);
    this.name = 'RequestTimedOut';
    this.path = path;
  }
}

/** The request never left, so it was certainly not carried out. */
export class NotSent extends Error {
  readonly path: string;

  constructor(path: string, why: string) {
    super(`${path}: not sent, ${why}`);
    this.name = 'NotSent';
    this.path = path;
  }
}

/** The answer is none that this request can have. */
export class WrongAnswer extends Error {
  readonly path: string;

  constructor(path: string) {
    super(`${path}: the answer is of another kind than it should be`);
    this.name = 'WrongAnswer';
    this.path = path;
  }
}

/** There is no server at this address, or none that speaks the protocol. */
export class CannotConnect extends Error {
  constructor(url: string, why: string) {
    super(`cannot connect to ${url}: ${why}`);
    this.name = 'CannotConnect';
  }
}

/** The updates were not read as fast as they came, and more than the client keeps were waiting. */
export class UpdatesOverrun extends Error {
  constructor(waiting: number) {
    super(`more than ${waiting.toString()} updates were waiting to be read`);
    this.name = 'UpdatesOverrun';
  }
}
