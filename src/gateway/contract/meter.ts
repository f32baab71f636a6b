import type { Position } from '../../kernel/event.js';

/**
 * The prices of work that is only known once it is done, in units of the cheapest request (some 50 µs of the thread).
 * They follow from measurements: the unread messages of a channel take nine reads and 140 µs, or three reads where there
 * are none; a page of history with 3.6 MB takes 20 ms; a send takes 280 µs; a delivery takes 0.25 µs; a move among 500
 * channels takes 10 ms.
 */
export const costs = {
  /** A document that was read, or looked for in vain. */
  document: 0.4,
  /** A kibibyte of documents, decoded and rendered, and once more where it has to be opened. */
  kibibyteRead: 0.0625,
  /** A thousand index entries that were counted. */
  thousandCounted: 2,
  /** A thousand steps through the posting lists of the search. */
  thousandPostings: 4,
  /** A posting list that was looked up, or a block of one: 512 ids at most. */
  postingList: 0.2,
  /** A term by which a message is to be found. */
  termIndexed: 0.1,
  /** A hundred channels of which it was found out whether the user sees them. */
  hundredChannels: 2,
  /** A hundred channels of the community that a command changes: its events make them anew for rules and readers, and are told. */
  hundredChannelsChanged: 40,
  /** A kibibyte of the request. */
  kibibyteAsked: 0.125,
  /**
   * The same beyond the first 128, besides, of a request that is no part of a file and so can only be refused. It is
   * sixteen times its work: no client has a use for it, and who sends it is to have little of the thread.
   */
  kibibyteBeyond: 2,
  /**
   * A kibibyte around the requests that come in: 128 frames at least, which are heartbeats, pings or fragments. It is some
   * six times their work, for the same reason.
   */
  kibibyteFramed: 16,
  /** A kibibyte of a list of an answer, rendered and encoded. */
  kibibyteEncoded: 0.0625,
  /** A kibibyte of the answer, put into its frame and written. */
  kibibyteAnswered: 0.0625,
  /** A kibibyte of a file that was read and opened. */
  kibibyteOpened: 0.02,
  /** A picture that another process reads and writes, which takes tenths of a second of a processor. */
  picture: 40,
  /** One that its process died of, after seconds of a processor and with a process to be started anew. */
  pictureTooCostly: 1_000,
  /** A file that a process of the operator’s scanner judges. */
  scan: 40,
  /** A link of a message that is parsed, sealed, stored and shown, and the words of its host that are counted: some 20 µs. */
  linkParsed: 0.4,
  /** A link to a file that was signed. */
  linkSigned: 0.1,
  /** A stored part of an upload that was looked up to make a file of it. */
  partListed: 0.1,
  /** A page that a link leads to, fetched and read, or looked for in memory. */
  linkFollowed: 20,
  /** An event that was written. */
  event: 4,
  /** A hundred deliveries of an update. */
  hundredDeliveries: 0.5,
} as const;

/** Counts the work of one request. */
export interface Meter {
  /** So much work was done for the request, in units. It is taken from the budgets of its sender. */
  spend(this: void, units: number): void;
  /**
   * Undefined when so much more work of the request may begin now. Otherwise resolves when others have had the thread and it
   * is its turn. Both count it for the slice, and it is still to be spent. Only reads settle at once on an embedded store, so
   * without this nobody would be let in before all of them are done.
   */
  turn(this: void, units: number): Promise<void> | undefined;
  /**
   * The request did as much as so many further ones of its kind, which count for the limit by number as well. Absent
   * where nothing is counted by number.
   */
  readonly alsoCounts?: (this: void, requests: number) => void;
  /** The request begins to write. Absent where nobody is held up for that. */
  readonly writing?: ((this: void) => WriteEnded) | undefined;
}

/** To be called once, with the position of the last event, or without where nothing was written. */
export type WriteEnded = (upTo?: Position) => void;

/** Of work for which nobody is charged. */
export const freeMeter: Meter = { spend: () => undefined, turn: () => undefined };

/** Units of long reads between two rounds of the event loop: one millisecond, shared by the long reads of all users. */
export const sliceUnitsMax = 20;
