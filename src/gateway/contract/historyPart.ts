import type { MessagesInit } from '../../gen/messages.js';
import type { MessageId, UserId } from '../../kernel/ids.js';
import type { Reads } from '../../projections/reading/queries.js';
import type { ProjectionName } from '../../projections/registry.js';
import type { Meter } from './meter.js';

/** The fields of a page of history that packages other than that of messages bring. */
export type PartOfHistory = Partial<Omit<MessagesInit, 'messages' | 'users' | 'members'>>;

export type PartNeeds = {
  readonly reads: Reads;
  /** Those on the page, the newest first. */
  readonly messages: readonly MessageId[];
  readonly viewer: UserId;
  readonly bytesMax: number;
  /** Of the request, which pays for what is encoded. */
  readonly meter: Meter;
};

/** A package's share in each page of history, so that the package of messages need not know of it. */
export type HistoryPart = {
  /** The read models that it is made from. */
  readonly reads: readonly ProjectionName[];
  /** Of the bytes of an answer; all parts and the messages with their users share one answer. */
  readonly share: number;
  readonly partOf: (needs: PartNeeds) => Promise<PartOfHistory>;
};
