import { parsedJson } from '../kernel/json.js';
/** The longest request, in bytes and with its end of line. */
export const requestLineBytesMax = 65_536;

/** The longest line of an answer that a client takes, in bytes. */
export const answerLineBytesMax = 16_777_216;

/** Connections at once. */
export const doorConnectionsMax = 16;

/** A connection has this long to send its request, and afterwards as long to take its answer. */
export const doorIdleMillisMax = 10_000;

/** Why the operator's door carries a verb not out. The table is in docs/errors.md, which a test compares. */
export const doorRefusals = {
  MALFORMED_LINE: 'The request is not one line of JSON with a verb and its arguments.',
  LINE_TOO_LONG: 'The request is longer than 64 KiB.',
  TOO_MANY_CONNECTIONS: 'Sixteen connections are open already.',
  IDLE_TOO_LONG: 'No request came within 10 s of connecting.',
  UNKNOWN_VERB: 'The server does not know the verb; its version may be another one than that of the command.',
  BAD_ARGUMENTS: 'An argument is missing, unknown, or not of its form.',
  NOT_READY: 'The server is starting or stopping.',
  NOT_WHILE_RUNNING: 'The verb is for times when no server runs on the data folder.',
  ONLY_WHILE_RUNNING: 'The verb asks a running server, and none runs on the data folder.',
  PREVENTED: 'Something on this machine stands in the way; the text says what it is.',
  FAILED: 'A bug or a broken machine. The log of the server says more.',
} as const;

export type DoorRefusalCode = keyof typeof doorRefusals;

/** The end of a verb. */
export type VerbOutcome =
  | { readonly status: 'done'; readonly text: string; readonly exitCode: 0 | 1 }
  | { readonly status: 'refused'; readonly code: DoorRefusalCode; readonly text: string };

export const done = (text: string, exitCode: 0 | 1 = 0): VerbOutcome => ({ status: 'done', text, exitCode });

export const refused = (code: DoorRefusalCode, text: string = doorRefusals[code]): VerbOutcome => ({
  status: 'refused',
  code,
  text,
});

/** One line of a client. */
export type DoorRequest = { readonly verb: string; readonly arguments: Readonly<Record<string, unknown>> };

/** One line of the server: progress any number of times, then one of the other two. */
export type DoorAnswer =
  | { readonly progress: string }
  | { readonly result: string; readonly exitCode: 0 | 1 }
  | { readonly refusal: DoorRefusalCode; readonly text: string };

export const answerOf = (outcome: VerbOutcome): DoorAnswer =>
  outcome.status === 'done'
    ? { result: outcome.text, exitCode: outcome.exitCode }
    : { refusal: outcome.code, text: outcome.text };

export const lineOf = (message: DoorRequest | DoorAnswer): string => `${JSON.stringify(message)}\n`;

/** `undefined` for anything else than a request. */
export const requestIn = (line: string): DoorRequest | undefined => {
  const parsed = objectIn(line);
  if (parsed === undefined || Object.keys(parsed).some((key) => key !== 'verb' && key !== 'arguments'))
    return undefined;
  const { verb, arguments: given = {} } = parsed;
  return typeof verb === 'string' && isObject(given) ? { verb, arguments: given } : undefined;
};

/** `undefined` for anything else than an answer. */
export const answerIn = (line: string): DoorAnswer | undefined => {
  const { progress, result, exitCode, refusal, text } = objectIn(line) ?? {};
  if (typeof progress === 'string') return { progress };
  if (typeof result === 'string') return { result, exitCode: exitCode === 0 ? 0 : 1 };
  if (typeof refusal !== 'string' || typeof text !== 'string') return undefined;
  // The code of a newer server may be unknown here; its text is for people in any case.
  return { refusal: refusal in doorRefusals ? (refusal as DoorRefusalCode) : 'FAILED', text }; // Just looked up.
};

const objectIn = (line: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const parsed: unknown = parsedJson(line);
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
