import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { it } from 'node:test';
import { memoryDocuments } from '../../src/adapters/documents/memory.js';
import { underWay } from '../../src/kernel/underWay.js';
import { workflowsOf, workflowsOfDocuments, workflowsOfSharedLog } from '../../src/workflows/registry.js';
import { eventCodec } from '../../src/kernel/codec.js';
import { plainSealer } from '../support/plainSealer.js';
import { sourcesIn } from '../support/sources.js';

/** What all workflows share. */
const rooms = ['leased', 'registry', 'runner', 'shownBefore'];

it('every workflow is in the registry, under the name of its file', () => {
  const files = sourcesIn('src/workflows').map(({ path }) => basename(path, '.ts'));
  const unasked = (): never => {
    throw new Error('nothing has happened yet');
  };
  const previewing = {
    streams: { caughtUp: unasked },
    clock: { now: unasked },
    timers: { later: unasked },
    fetches: underWay(),
    pagePicture: unasked,
    fetchFailed: unasked,
  };
  const shared = workflowsOfSharedLog({
    log: { readStream: unasked },
    codec: eventCodec([], plainSealer()),
    sealer: plainSealer(),
    isRefused: () => undefined,
    reached: () => undefined,
  });
  const ofDocuments = workflowsOfDocuments({ documents: memoryDocuments(), reached: () => undefined });
  const registered = [...workflowsOf(previewing), ...ofDocuments, ...shared].map(({ name }) => name);
  assert.deepEqual(
    registered.map((name) => name.replace(/ .*/, '')).sort(),
    files.filter((file) => !rooms.includes(file)).sort(),
  );
});
