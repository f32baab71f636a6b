import type { OwnGenerations, ProjectionsAdmin, ReadDocuments, ReadWish } from '../../admin/projections.js';
import type { VerbCall } from '../../admin/verbCall.js';
import type { ProjectionStatus } from '../../projections/runner/runner.js';

/** How far a projection of the operator's own is. */
export type OwnStatus = {
  /** Of the projection, or of its file while it is not known. */
  readonly name: string;
  readonly generation?: string;
  /** Absent while it is not open. */
  readonly progress?: ProjectionStatus;
  /** Why it has stopped. */
  readonly stopped?: string;
};

/** The projections of the operator's own, on this server. Everything else goes on without them. */
export interface OwnProjections {
  /** Opens them beside everything else. */
  begin(this: void): void;
  status(this: void): Promise<readonly OwnStatus[]>;
  generations(this: void): Promise<readonly OwnGenerations[]>;
  /** Undefined for a generation of none of them. */
  adminOf(this: void, generation: string): Promise<ProjectionsAdmin | undefined>;
  /** Of the projection of this name. Throws `GenerationRefused`. */
  adminNamed(this: void, projection: string): ProjectionsAdmin;
  /** Throws `GenerationRefused`. */
  read(this: void, wish: ReadWish, call: VerbCall): Promise<ReadDocuments>;
  close(this: void): Promise<void>;
}
