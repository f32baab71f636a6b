import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { it } from 'node:test';
import { memoryDocuments } from '../../src/adapters/documents/memory.js';
import { workflowsOf, workflowsOfSharedLog } from '../../src/workflows/registry.js';
import { sourcesIn } from '../support/sources.js';

/** What all workflows share. */
const rooms = ['leased', 'registry', 'runner'];

it('every workflow is in the registry, under the name of its file', () => {
  const files = sourcesIn('src/workflows').map(({ path }) => basename(path, '.ts'));
  const needs = { documents: memoryDocuments(), reached: () => undefined };
  const shared = workflowsOfSharedLog({ isRefused: () => undefined, reached: () => undefined });
  const registered = [...workflowsOf(needs), ...shared].map(({ name }) => name);
  assert.deepEqual(
    registered.map((name) => name.replace(/ .*/, '')).sort(),
    files.filter((file) => !rooms.includes(file)).sort(),
  );
});
