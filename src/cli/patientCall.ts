import type { Client } from '../client/client.js';
import { RequestRefused } from '../client/errors.js';

/** A request for which the server asks for more patience is given up. */
export const patienceSecondsMax = 60;

export type PatientCallNeeds = {
  readonly say: (line: string) => void;
  readonly pause: (millis: number) => Promise<void>;
};

/**
 * Calls that say so when the server asks for patience, wait for as long as it says, and are made again: a request that
 * is refused because of a limit has changed nothing.
 */
export const patientCall = (call: Client['call'], { say, pause }: PatientCallNeeds): Client['call'] => {
  const patient: Client['call'] = async (path, request) => {
    for (;;) {
      try {
        return await call(path, request);
      } catch (error) {
        const seconds = error instanceof RequestRefused ? error.retryAfterSeconds : undefined;
        if (seconds === undefined || seconds > patienceSecondsMax) throw error;
        say(`* that was too much at once: it is sent again in ${seconds.toString()} s`);
        await pause(seconds * 1_000);
      }
    }
  };
  return patient;
};
