import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { it } from 'node:test';
import { memoryDocuments } from '../../src/adapters/documents/memory.js';
import { workflowsOf } from '../../src/workflows/registry.js';
import { sourcesIn } from '../support/sources.js';

/** What all workflows share. */
const rooms = ['leased', 'registry', 'runner'];

it('every workflow is in the registry, under the name of its file', () => {
  const files = sourcesIn('src/workflows').map(({ path }) => basename(path, '.ts'));
  const registered = workflowsOf({ documents: memoryDocuments(), reached: () => undefined }).map(({ name }) => name);
  assert.deepEqual(
    registered.map((name) => name.replace(/ .*/, '')).sort(),
    files.filter((file) => !rooms.includes(file)).sort(),
  );
});
