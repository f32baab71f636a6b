import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryDocuments } from '../../src/adapters/documents/memory.js';
import { memoryWorkflowCheckpoints } from '../support/memoryWorkflowCheckpoints.js';
import { WorkflowAheadOfLog, workflowPlaces } from '../../src/container/generations/workflowPlaces.js';
import type { AnyWorkflow } from '../../src/workflows/registry.js';

const workflow = (name: string, rest: Pick<AnyWorkflow, 'begins' | 'belongsTo'>): AnyWorkflow => ({
  name,
  ...rest,
  reactions: {},
});
const repairs = workflow('repairs', { begins: 'start', belongsTo: 'deployment' });
const goesOn = workflow('goesOn', { begins: 'end', belongsTo: 'deployment' });
const tidies = workflow('tidies', { begins: 'start', belongsTo: 'documents' });
const all = [repairs, goesOn, tidies];

const setting = async (former: Readonly<Record<string, bigint>> = {}) => {
  const [documents, before] = [memoryDocuments(), memoryDocuments()];
  await documents.open([]);
  await before.open([]);
  const marks = Object.entries(former).map(([projection, position]) => ({ projection, position }));
  await before.commit([], marks);
  const checkpoints = memoryWorkflowCheckpoints();
  const needs = {
    checkpoints,
    documents,
    former: {
      isThere: () => Promise.resolve(marks.length > 0),
      documents: () => before,
      drop: () => Promise.resolve(),
    },
    log: { end: () => Promise.resolve(90n) },
  };
  return { needs, checkpoints, documents };
};

describe('a workflow without a checkpoint', () => {
  it('begins at the end of the log, unless it repairs', async () => {
    const { needs, checkpoints } = await setting();
    const place = await workflowPlaces(needs, all);
    assert.deepEqual(
      [await checkpoints.read('workflow.repairs'), await checkpoints.read('workflow.goesOn')],
      [0n, 90n],
    );
    assert.deepEqual(
      [await place(repairs).checkpoint('workflow.repairs'), await place(goesOn).checkpoint('workflow.goesOn')],
      [0n, 90n],
    );
  });

  it('begins where it was before there were generations', async () => {
    const { needs, checkpoints } = await setting({ 'workflow.repairs': 40n, 'workflow.goesOn': 50n });
    await workflowPlaces(needs, all);
    assert.deepEqual(
      [await checkpoints.read('workflow.repairs'), await checkpoints.read('workflow.goesOn')],
      [40n, 50n],
    );
  });
});

describe('a workflow with a checkpoint', () => {
  it('keeps it, whatever the documents of before say', async () => {
    const { needs, checkpoints } = await setting({ 'workflow.goesOn': 50n });
    await checkpoints.keep({ projection: 'workflow.goesOn', position: 20n });
    await workflowPlaces(needs, all);
    assert.equal(await checkpoints.read('workflow.goesOn'), 20n);
  });

  it('that is ahead of the log keeps all from starting, and stays as it is', async () => {
    const { needs, checkpoints } = await setting();
    await checkpoints.keep({ projection: 'workflow.goesOn', position: 91n });
    await assert.rejects(workflowPlaces(needs, all), WorkflowAheadOfLog);
    assert.deepEqual(
      [await checkpoints.read('workflow.goesOn'), await checkpoints.read('workflow.repairs')],
      [91n, undefined],
    );
  });

  it('has it with the documents when it works on those, and else with the deployment', async () => {
    const { needs, checkpoints, documents } = await setting();
    const place = await workflowPlaces(needs, all);
    await place(tidies).commit([], [{ projection: 'workflow.tidies', position: 7n }]);
    await place(repairs).commit([], [{ projection: 'workflow.repairs', position: 8n }]);
    assert.deepEqual(
      [await documents.checkpoint('workflow.tidies'), await documents.checkpoint('workflow.repairs')],
      [7n, 0n],
    );
    assert.deepEqual(
      [await checkpoints.read('workflow.tidies'), await checkpoints.read('workflow.repairs')],
      [undefined, 8n],
    );
  });
});
