import type { UpdateInit } from '../../gen/rpcs.js';
import type { Event, Recorded, EventOf } from '../../kernel/event.js';
import type { SessionId, UserId } from '../../kernel/ids.js';

/** Fields of an update that differ by recipient; all the other fields are encoded once. */
export type PerRecipient = {
  /** One for each user of the audience, in its order: whole numbers from 0 to 2^32 - 1. */
  readonly counts: readonly number[];
  /** The field that holds a count, as an update of the same name with no other field in it. */
  readonly countField: (count: number) => UpdateInit;
  /** Fields that one recipient is sent besides, as an update of the same name with no other field in it. */
  readonly own?: { readonly recipient: UserId; readonly fields: UpdateInit };
};

/**
 * Makes one update of two that stand next to each other; undefined when they must stay two. Two updates are only offered
 * when both were delivered with this very function, so it meets no other kind of update than its own.
 */
export type MergeUpdates = (earlier: UpdateInit, later: UpdateInit) => UpdateInit | undefined;

/**
 * Of the updates of one flush with the same names each recipient is sent the last only, however many events they are of.
 * Each must say all by itself: that of a channel, of the rights in it, of a member.
 */
export type LatestOnly = {
  /** The topic that it must not come behind: that of a channel's messages, or of the community. */
  readonly place: string;
  readonly what: string;
  /** Another thing that is said of the same place, and of no use any more to those who are told this. */
  readonly ends?: string;
};

/** One update of an event, and how it is sent. */
export type Rendering = {
  /** Encoded once for the whole audience: see `perRendering` for an update that reads differently to some of them. */
  readonly update: UpdateInit;
} & (
  | {
      readonly perRecipient?: PerRecipient;
      /** This session's connections are closed once they have been sent the update. */
      readonly closes?: SessionId;
      readonly merge?: never;
    }
  | {
      readonly perRecipient?: never;
      readonly closes?: never;
      /** Joins the update with that of the next event of the same request and topic, or stands for earlier ones. */
      readonly merge: MergeUpdates | LatestOnly;
    }
);

/** One update with its audience. */
export type Delivery = Rendering & {
  /** The users whose subscribed sessions hear it. */
  readonly audience: Iterable<UserId>;
  /** Events before left it to this one to tell what they changed, so that it is sent also when this event is refused. */
  readonly tellsOthers?: true;
};

/** The updates that clients are sent for each event of a package. An event without any says so with `silent`. */
export type UpdateTable<E extends Event, View> = {
  readonly [Type in E['type']]: (
    event: Recorded<EventOf<E, Type>>,
    view: View,
  ) => readonly Delivery[] | Promise<readonly Delivery[]>;
};

export const silent = (): readonly Delivery[] => [];
