import type { Position } from '../../kernel/event.js';
import type { Generations } from '../../kernel/ports/generations.js';
import type { Leases } from '../../kernel/ports/leases.js';
import type { DeclaredReadModels } from '../../projections/registry.js';
import type { LiveGenerations } from './live.js';

export type GenerationsAdminNeeds = {
  readonly generations: Generations;
  readonly readModels: DeclaredReadModels;
  /** The name of the set of the read models. */
  readonly set: string;
  /** Absent where no server runs in this process. */
  readonly running?: RunningGenerations;
  /** Where several processes share the documents: nothing is dropped that one of them keeps up to date. */
  readonly leases?: () => Promise<Leases>;
};

export type RunningGenerations = {
  readonly live: LiveGenerations;
  readonly end: () => Promise<Position>;
  /** Tells other nodes which one was chosen. */
  readonly switched: (name: string) => Promise<void>;
  /** Tells other nodes to close it, unless they serve it. */
  readonly released: (name: string) => Promise<void>;
};
