import type { Socket } from 'node:net';
import { lineReader } from '../kernel/lines.js';
import { answerIn, answerLineBytesMax, lineOf, type DoorRequest, type VerbOutcome } from './doorProtocol.js';
import type { VerbCall } from './verbCall.js';

/** The server ended, or is none of ours, before it had answered. A write may have been carried out or not. */
export class DoorUnanswered extends Error {
  constructor(why: string) {
    super(`the server gave no answer (${why}): look into its log whether this was carried out`);
    this.name = 'DoorUnanswered';
  }
}

/** A server that is asked for something to read, and says nothing for so long, hangs. Writes may take longer. */
export const readSilenceMillisMax = 10_000;

/**
 * Asks through a connection to the operator's door, and closes it. Throws `DoorUnanswered`, also after a silence of
 * `silenceMillisMax`; default: none is too long.
 */
export const askDoor = (
  socket: Socket,
  request: DoorRequest,
  call: VerbCall,
  silenceMillisMax?: number,
): Promise<VerbOutcome> =>
  new Promise((resolve, fail) => {
    const read = lineReader(answerLineBytesMax);
    const broken = (why: string): void => {
      fail(new DoorUnanswered(why));
      socket.destroy();
    };
    socket.on('data', (chunk: Buffer) => {
      const lines = read(chunk);
      if (lines === 'too long') {
        broken('its line is too long');
        return;
      }
      for (const line of lines) {
        const answer = answerIn(line);
        if (answer === undefined) broken('its line is no answer');
        else if ('progress' in answer) call.progress(answer.progress);
        else {
          resolve(outcomeOf(answer));
          socket.destroy();
        }
      }
    });
    socket.on('error', ({ message }) => {
      broken(message);
    });
    socket.on('end', () => {
      broken('it closed the connection');
    });
    if (silenceMillisMax !== undefined)
      socket.setTimeout(silenceMillisMax, () => {
        broken(`it said nothing for ${(silenceMillisMax / 1_000).toString()} s`);
      });
    call.signal.addEventListener('abort', () => {
      broken('the command was stopped');
    });
    socket.write(lineOf(request));
  });

type LastAnswer = Exclude<ReturnType<typeof answerIn>, undefined | { readonly progress: string }>;

const outcomeOf = (answer: LastAnswer): VerbOutcome =>
  'result' in answer
    ? { status: 'done', text: answer.result, exitCode: answer.exitCode }
    : { status: 'refused', code: answer.refusal, text: answer.text };
