/** The number of something that happened while a history was recorded: no two are equal, and later ones are higher. */
export type Moment = number;

/**
 * A thing of which everybody reads one version at a time: a message, a channel, a marker, a profile. It has one author, who
 * writes one version after the other.
 */
export type Thing = string;

/** 0 as long as it is not there, then 1, 2, … */
export type Version = number;
/** The version after all others: it was there, and is deleted. */
export const gone = Infinity;
export const absent = 0;

/** One request that changed things, all of them at once. */
export type Written = {
  readonly session: string;
  readonly begun: Moment;
  /** Absent when it was never answered, or refused: maybe it happened. */
  readonly acknowledged?: Moment;
  readonly things: ReadonlyMap<Thing, Version>;
  /** Which of its versions are told. `latest`: one may be left out when a later one is told. */
  readonly telling: 'each' | 'latest' | 'nobody';
  /** Sessions that are told of it. Absent: all of them. */
  readonly audience?: ReadonlySet<string>;
};

/** The versions that one request found. Things that it says nothing of are not in it. */
export type Seen = {
  readonly session: string;
  readonly begun: Moment;
  readonly ended: Moment;
  readonly things: ReadonlyMap<Thing, Version>;
};

/** One thing of which one update tells, on a connection. */
export type Told = {
  readonly connection: string;
  readonly at: Moment;
  readonly thing: Thing;
  readonly version: Version;
};

/** How many messages of a chat one request found to be unread. */
export type Counted = {
  readonly session: string;
  readonly begun: Moment;
  readonly ended: Moment;
  readonly chat: string;
  readonly unread: number;
  /** The id up to which the reader has read, as the same answer says. */
  readonly marker: bigint;
};

export type Connection = {
  readonly name: string;
  readonly session: string;
  /** When its authorization was asked for, and when that was answered. */
  readonly begun: Moment;
  readonly ready: Moment;
  /** It was told all that there was to tell before it ended, and was never lost. */
  readonly isWhole: boolean;
};

export type SentMessage = {
  readonly thing: Thing;
  readonly chat: string;
  readonly session: string;
  readonly id?: bigint;
};

/** What concurrent clients wrote, were told and read, with what is known of the messages. */
export type History = {
  readonly written: readonly Written[];
  readonly seen: readonly Seen[];
  readonly counted: readonly Counted[];
  /** In the order of their moments. */
  readonly told: readonly Told[];
  readonly connections: readonly Connection[];
  readonly messages: readonly SentMessage[];
  /** Answers and updates that say of a thing what nobody wrote, in words. */
  readonly strange: readonly string[];
};

/** The column of the table of guarantees in docs/architecture.md that a history is judged by. */
export type Setup = 'one node' | 'many nodes';

export type Violation = {
  readonly kind: 'missed' | 'back' | 'invented' | 'half' | 'miscounted' | 'twice' | 'order' | 'lost' | 'strange';
  readonly says: string;
};
