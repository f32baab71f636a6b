import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LogUnreachable, OutcomeUnknown } from '../src/adapters/eventLog/eventStoreDb/failures.js';
import { EngineUnavailable, isAway } from '../src/engines.js';

describe('an engine that cannot be opened', () => {
  it('is named by its variable, and keeps its password to itself', () => {
    const cause = new Error('no server at mongodb://me:se@cret@db:27017/osmium');
    const { message, stack } = new EngineUnavailable('OSMIUM_DOCUMENTS', cause);
    assert.equal(message, 'OSMIUM_DOCUMENTS: no server at mongodb://…@db:27017/osmium');
    assert.doesNotMatch(stack ?? '', /cret/);
  });
});

describe('a failure of an engine', () => {
  it('passes when the engine is away', () => {
    assert.ok(isAway(new LogUnreachable('no leader')));
    assert.ok(isAway(new OutcomeUnknown('message-1', undefined)));
  });

  it('does not pass when it is anything else', () => {
    assert.equal(isAway(new TypeError('a bug')), false);
  });
});
