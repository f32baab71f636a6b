import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loggerFor } from '../src/container/logging.js';

/** What is written about it. */
const told = (error: unknown): string => {
  let line = '';
  loggerFor({ logLevel: 'error' }, { write: (text) => (line = text) }).error({ err: error }, 'it failed');
  return line;
};

describe('an error in the log', () => {
  it('is told with what went wrong and where', () => {
    const { err } = JSON.parse(told(Object.assign(new TypeError('no space left'), { code: 14_031 }))) as {
      readonly err: Readonly<Record<string, unknown>>;
    };
    assert.deepEqual([err['type'], err['message'], err['code']], ['TypeError', 'no space left', 14_031]);
    assert.match(String(err['stack']), /logging\.spec/);
  });

  it('keeps to itself what its driver was given', () => {
    // As MongoDB's driver does with a write that fails, and that of Redis with a command.
    const writeErrors = [{ code: 14_031, op: { d: { text: 'personal' } } }];
    const given = { writeErrors, command: { name: 'evalsha', args: ['personal'] } };
    assert.doesNotMatch(told(Object.assign(new Error('no space left'), given)), /personal/);
  });
});
