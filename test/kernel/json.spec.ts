import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsedJson } from '../../src/kernel/json.js';
import { Misshapen } from '../../src/kernel/schema.js';

describe('text that is no JSON', () => {
  it('is refused by its length alone, because it may be personal', () => {
    for (const text of ['nobody may read this', '{"text":"nobody may read this"', '{"text":nobody}']) {
      assert.throws(
        () => parsedJson(text),
        (error) => {
          assert.ok(error instanceof Misshapen);
          assert.equal(error.message, `expected JSON, found text of ${text.length.toString()} characters`);
          // A log line has the stack and the causes as well.
          assert.equal(error.cause, undefined);
          assert.doesNotMatch(error.stack ?? '', /nobody/);
          return true;
        },
      );
    }
  });
});
