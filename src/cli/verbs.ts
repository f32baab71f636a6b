import type { Socket } from 'node:net';
import { askDoor, readSilenceMillisMax } from '../admin/doorClient.js';
import type { VerbOutcome, DoorRequest } from '../admin/doorProtocol.js';
import type { CommandSide, StoppedServer, Verb } from '../admin/verb.js';
import type { VerbCall } from '../admin/verbCall.js';

export type VerbRun = {
  readonly verb: Verb;
  readonly given: Readonly<Record<string, unknown>>;
  /** The data folders on which a server may run that has to carry the verb out. */
  readonly folders: readonly string[];
  readonly connect: (folder: string) => Promise<Socket | undefined>;
  /** Do what the verb may do where no server runs, and what it leaves to the command. */
  readonly sides: StoppedServer & CommandSide;
  readonly output: NodeJS.WritableStream;
  readonly errors: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly signal: AbortSignal;
};

/** Carries a verb out, in the running server or here, prints the answer, and gives the exit code. */
export const runVerb = async (run: VerbRun): Promise<0 | 1> => {
  const { verb, given, output, errors, signal } = run;
  const screen = onTerminal(errors);
  const call: VerbCall = {
    progress: (line) => errors.write(`${line}\n`),
    ...(screen === undefined ? {} : { redraw: screen.redraw }),
    signal,
  };
  const carriedOut = async (): Promise<VerbOutcome> =>
    (await throughDoor(run, { verb: verb.name, arguments: given }, call)) ?? verb.stopped(run.sides, given, call);
  const worked = await carriedOut().finally(() => screen?.leave());
  const outcome = await finishedBy(run, worked, call);
  if (outcome.status === 'refused') {
    errors.write(`osmium: ${outcome.text}\n`);
    return 1;
  }
  output.write(outcome.text);
  return outcome.exitCode;
};

const finishedBy = async (
  { verb, given, sides }: VerbRun,
  worked: VerbOutcome,
  call: VerbCall,
): Promise<VerbOutcome> =>
  worked.status === 'refused' || verb.finished === undefined
    ? worked
    : verb.finished(sides, given, { ...call, taken: worked.text });

/** `undefined` where nobody looks. */
const onTerminal = (errors: VerbRun['errors']) => {
  if (errors.isTTY !== true) return undefined;
  let isDrawn = false;
  return {
    redraw: (line: string): void => {
      isDrawn = true;
      errors.write(`\r${line}\u001b[K`);
    },
    /** The next line begins below. */
    leave: (): void => {
      if (isDrawn) errors.write('\n');
    },
  };
};

/** `undefined` when no server runs. */
const throughDoor = async (
  { verb, given, folders, connect }: VerbRun,
  request: DoorRequest,
  call: VerbCall,
): Promise<VerbOutcome | undefined> => {
  for (const folder of verb.isAlone(given) ? [] : folders) {
    const socket = await connect(folder);
    if (socket !== undefined)
      return askDoor(socket, request, call, verb.access === 'read' ? readSilenceMillisMax : undefined);
  }
  return undefined;
};
