import type { Event } from '../kernel/event.js';
import { admitMembers } from './admitMembers.js';
import { removeReactions } from './removeReactions.js';
import type { Workflow } from './runner.js';
import { showPreviews } from './showPreviews.js';
import { takeDownHighlights } from './takeDownHighlights.js';
import { withdrawMessages, type WithdrawMessagesNeeds } from './withdrawMessages.js';

type Factory = (needs: never) => Workflow<never>;

/** Every workflow of any server, each made from its own needs. */
const factories = [
  () => admitMembers,
  () => takeDownHighlights,
  removeReactions,
  showPreviews,
] as const satisfies readonly Factory[];

/** The needs of all functions of the union together. */
type NeedsOf<F> = [F] extends [(needs: infer Needs) => unknown] ? Needs : never;

/** All that any workflow asks for. A container that does not have one of them does not compile. */
export type WorkflowsNeeds = NeedsOf<(typeof factories)[number]>;

/** A workflow whose events the compiler has forgotten; its table still pairs each type with its own event. */
export type AnyWorkflow = Workflow<Event>;

/** In the order in which they are started. */
export const workflowsOf = (needs: WorkflowsNeeds): readonly AnyWorkflow[] =>
  factories.map((make) => make(needs) as unknown as AnyWorkflow); // The events differ from one workflow to the next.

/** Those that there is something to do for only where nodes share a log. They are started once the fan-out follows. */
export const workflowsOfSharedLog = (needs: WithdrawMessagesNeeds): readonly AnyWorkflow[] => [
  withdrawMessages(needs) as unknown as AnyWorkflow, // As above.
];
