import type { Event } from '../kernel/event.js';
import { admitMembers } from './admitMembers.js';
import { announceMembers } from './announceMembers.js';
import { endStickerPacks } from './endStickerPacks.js';
import { removeReactions } from './removeReactions.js';
import type { Workflow } from './runner.js';
import { showPreviews } from './showPreviews.js';
import { takeDownHighlights } from './takeDownHighlights.js';
import { withdrawMessages, type WithdrawMessagesNeeds } from './withdrawMessages.js';

type Factory = (needs: never) => Workflow<never>;

/** The workflows that each deployment has once, each made from its own needs. */
const ofDeployment = [
  () => admitMembers,
  announceMembers,
  () => takeDownHighlights,
  endStickerPacks,
  showPreviews,
] as const satisfies readonly Factory[];

/** The workflows that each generation of documents has once, a generation that is being built included. */
const ofDocuments = [removeReactions] as const satisfies readonly Factory[];

/** The needs of all functions of the union together. */
type NeedsOf<F> = [F] extends [(needs: infer Needs) => unknown] ? Needs : never;

/** All that any workflow of a deployment asks for. A container that does not have one of them does not compile. */
export type WorkflowsNeeds = NeedsOf<(typeof ofDeployment)[number]>;

/** The same of workflows of documents. */
export type DocumentWorkflowNeeds = NeedsOf<(typeof ofDocuments)[number]>;

/** A workflow whose events the compiler has forgotten; its table still pairs each type with its own event. */
export type AnyWorkflow = Workflow<Event>;

/** In the order in which they are started. */
export const workflowsOf = (needs: WorkflowsNeeds): readonly AnyWorkflow[] =>
  ofDeployment.map((make) => make(needs) as unknown as AnyWorkflow); // The events differ from one workflow to the next.

/** The workflows of one generation, in the order in which they are started. */
export const workflowsOfDocuments = (needs: DocumentWorkflowNeeds): readonly AnyWorkflow[] =>
  ofDocuments.map((make) => make(needs) as unknown as AnyWorkflow); // As above.

/** Those that there is something to do for only where nodes share a log. They are started once the fan-out follows. */
export const workflowsOfSharedLog = (needs: WithdrawMessagesNeeds): readonly AnyWorkflow[] => [
  withdrawMessages(needs) as unknown as AnyWorkflow, // As above.
];
