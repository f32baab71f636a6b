import type { UpdateInit } from '../../gen/rpcs.js';
import type { Event, Recorded, EventOf } from '../../kernel/event.js';
import type { SessionId, UserId } from '../../kernel/ids.js';

/** Fields of UpdateMessageCreated that differ by viewer; everything else in it is encoded once. */
export type MessageTails = {
  /** In the order of the audience. */
  readonly unreadCounts: readonly number[];
  /** Told to the author alone. */
  readonly nonce?: { readonly author: UserId; readonly clientId: bigint };
};

/** What clients are told of an event. */
export type Delivery = {
  /** Whose subscribed sessions hear it. */
  readonly audience: Iterable<UserId>;
  /** Encoded once for the whole audience: what differs by viewer is told in as many parts as there are renderings. */
  readonly update: UpdateInit;
  /** Only with `messageCreated`. */
  readonly tails?: MessageTails;
  /** This session's connections are closed once they have been told. */
  readonly closes?: SessionId;
};

/** What clients are told of each event of a package. An event of which nobody hears says so with `silent`. */
export type UpdateTable<E extends Event, View> = {
  readonly [Type in E['type']]: (
    event: Recorded<EventOf<E, Type>>,
    view: View,
  ) => readonly Delivery[] | Promise<readonly Delivery[]>;
};

export const silent = (): readonly Delivery[] => [];
