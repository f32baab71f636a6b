import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { LogUnreachable, OutcomeUnknown } from '../src/adapters/eventLog/eventStoreDb/unreachable.js';
import { EngineUnavailable, isAway } from '../src/engines.js';
import { testServer } from './support/server.js';

describe('an engine that cannot be opened', () => {
  it('is named by its variable, and keeps its password to itself', () => {
    const cause = new Error('no server at mongodb://me:se@cret@db:27017/osmium');
    const { message, stack } = new EngineUnavailable('OSMIUM_DOCUMENTS', cause);
    assert.equal(message, 'OSMIUM_DOCUMENTS: no server at mongodb://…@db:27017/osmium');
    assert.doesNotMatch(stack ?? '', /cret/);
  });

  it('is named as well when its driver does not take the address', async (test) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'osmium-test-'));
    test.after(() => rm(dataDir, { recursive: true }));
    const environment = { OSMIUM_PUBSUB: 'redis://me:se/cret@cache:6379' };
    await assert.rejects(testServer({ dataDir, environment }), (error) => {
      assert.match(String(error), /^EngineUnavailable: OSMIUM_PUBSUB: Invalid URL/);
      assert.doesNotMatch(inspect(error), /cret/);
      return true;
    });
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
