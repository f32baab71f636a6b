import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { patientCall } from '../../src/cli/patientCall.js';
import type { Client } from '../../src/client/client.js';
import { RequestRefused } from '../../src/client/errors.js';

const refusal = (message: string): RequestRefused => new RequestRefused('chats.setTyping', { code: 429, message });

/** A call that is refused with these messages, one after the other, and then answered. */
const refusing = (...messages: string[]) => {
  const [said, pauses]: [string[], number[]] = [[], []];
  const call: Client['call'] = () => {
    const message = messages.shift();
    return message === undefined ? Promise.resolve(undefined as never) : Promise.reject(refusal(message));
  };
  const pause = (millis: number): Promise<void> => {
    pauses.push(millis);
    return Promise.resolve();
  };
  const patient = patientCall(call, { say: (line) => said.push(line), pause });
  return { said, pauses, ask: () => patient('chats.setTyping', {}) };
};

describe('a call from the terminal that meets a limit', () => {
  it('says so, waits for as long as it is told, and is made again', async () => {
    const { ask, said, pauses } = refusing(
      'too many requests (retry after 3 s)',
      'too many requests (retry after 1 s)',
    );
    await ask();
    assert.deepEqual(
      said,
      [3, 1].map((seconds) => `* that was too much at once: it is sent again in ${seconds.toString()} s`),
    );
    assert.deepEqual(pauses, [3_000, 1_000]);
  });

  it('is given up when it would be long, or nobody says how long', async () => {
    for (const message of ['slow mode is on in this channel (retry after 61 s)', 'too many requests']) {
      const { ask, said } = refusing(message);
      await assert.rejects(ask, RequestRefused);
      assert.deepEqual(said, []);
    }
  });
});
