import type { Event, Recorded } from '../../kernel/event.js';

/** A line of a fold that needs the document. An event about a document that is not there leaves it so. */
export const whenThere =
  <Doc, E extends Event>(change: (document: Doc, event: Recorded<E>) => Doc | undefined) =>
  (document: Doc | undefined, event: Recorded<E>): Doc | undefined =>
    document === undefined ? undefined : change(document, event);

/** A line for an event that leaves this kind of document as it is. */
export const unchanged = <Doc>(document: Doc | undefined): Doc | undefined => document;

/** The keys of an event that is folded into no document of this kind. */
export const none = (): readonly string[] => [];

/** The document goes. */
export const removed = (): undefined => undefined;

/** A document while it is made: fields that may be absent are set one by one, which is faster than spreading them in. */
export type Making<Doc> = { -readonly [Field in keyof Doc]: Doc[Field] };
