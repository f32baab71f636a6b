import type { VerbCall } from './verbCall.js';

/** One generation, as the operator is told of it. */
export type GenerationStatus = {
  readonly name: string;
  readonly types: readonly string[];
  /** Whether this release could serve it. */
  readonly isOwn: boolean;
  readonly isServing: boolean;
  /** Whether the running server keeps it up to date. */
  readonly isFollowed: boolean;
  /** All events up to here are in its documents. Absent where it is of another release. */
  readonly position?: string;
};

export type ProjectionsStatus = {
  /** The position of the last event in the log. Absent where no server runs. */
  readonly end?: string;
  readonly generations: readonly GenerationStatus[];
  /** The search index of this release. Absent where no server runs, and while it is not open. */
  readonly search?: { readonly generation: string; readonly position: string };
  /** Those of projections of the operator's own. Absent where there are none. */
  readonly own?: readonly OwnGenerations[];
  /** Documents of a release without generations are kept, with personal content in the clear. */
  readonly former: boolean;
};

/** Of one projection of the operator's own. */
export type OwnGenerations = {
  readonly name: string;
  readonly generations: readonly GenerationStatus[];
  /** The configuration names no such projection, so nobody keeps them up to date. */
  readonly isForeign?: true;
  /** Why it has stopped. */
  readonly stopped?: string;
};

/** Which documents of a projection of the operator's own are wanted: that of a key, those of an index, or all by key. */
export type ReadWish = {
  readonly projection: string;
  /** Default: the only one there is. */
  readonly type?: string;
  readonly key?: string;
  /** `NAME=VALUE`. */
  readonly index?: string;
  /** Only behind this key, where all are wanted. */
  readonly after?: string;
  readonly limit: number;
};

/** Lines of JSON; `more` is the last key where there are more of them. */
export type ReadDocuments = { readonly text: string; readonly more?: string };

/** A generation cannot be used in the way that was asked for. Nothing was changed. */
export class GenerationRefused extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'GenerationRefused';
  }
}

/** `now`: the running server serves it. `next start`: no server runs. */
export type Switched = { readonly generation: string; readonly before?: string; readonly from: 'now' | 'next start' };

/** Keys in a row, with the digest of either generation. */
export type ComparedSlice = {
  readonly from: string;
  readonly to: string;
  readonly digests: readonly [string, string];
  readonly differing: number;
  /** The first of those that differ. */
  readonly keys: readonly string[];
};

/** All documents of one type. */
export type ComparedType = {
  readonly collection: string;
  readonly documents: number;
  readonly differing: number;
  readonly digests: readonly [string, string];
  /** The first slices in which documents differ. */
  readonly slices: readonly ComparedSlice[];
};

export type Verified = {
  readonly generations: readonly [string, string];
  readonly isEqual: boolean;
  /** Both held at least the events up to here when they were compared. */
  readonly position: string;
  readonly types: readonly ComparedType[];
};

/** The generations of a deployment, for the operator. */
export interface ProjectionsAdmin {
  status(this: void): Promise<ProjectionsStatus>;
  /** A sentence that says why not, or undefined when the generation is gone. `former`: the documents of a release without generations. */
  drop(this: void, name: string): Promise<string | undefined>;
  /** Compares it with the one that serves. Throws `GenerationRefused`. */
  verify(this: void, name: string, call: VerbCall): Promise<Verified>;
  /** Throws `GenerationRefused`. */
  switchTo(this: void, name: string, call: VerbCall): Promise<Switched>;
  /** The same to the one that served before, of ours or of a projection of the operator's own. */
  back(this: void, call: VerbCall, projection?: string): Promise<Switched>;
}

/** Each takes memory of its own, and reads the log. */
export const workersMax = 16;

export type BuildWishes = {
  /** Goes on with this one. Default: the newest of this release. */
  readonly generation?: string;
  /** Goes on with the events that come until it is stopped. */
  readonly follow: boolean;
  /** Begins another generation although there is one. */
  readonly anew: boolean;
  /** Of the machine, in percent: 1 to 100. */
  readonly share: number;
  /** Threads that fold: 1 to `workersMax`. Default: one for each two cores, and four at most. */
  readonly workers?: number;
  /** The file of a projection of the operator's own, which is built in the place of ours. */
  readonly module?: string;
};

/** How a build ended. Documents and checkpoints are kept in any case, and the same call goes on from there. */
export type Built = {
  readonly generation: string;
  readonly ended: 'built' | 'stopped';
  readonly position: string;
  readonly percent: number;
};
