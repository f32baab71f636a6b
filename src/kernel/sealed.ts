import type { Position } from './event.js';

/** The personal content of one event as it lies in the log, with all that it takes to open it besides the keys. */
export type SealedValue = {
  /** The id of the event. */
  readonly event: string;
  /** The stored type of the event. */
  readonly type: string;
  readonly stream: string;
  /** Absent for content that is nobody's. */
  readonly subject?: string;
  readonly scope: string;
  readonly position: Position;
  /** In the form of `Sealer.packed`. */
  readonly sealed: Uint8Array;
};

/**
 * One personal field that nobody has opened: it stands in the place of the content while a fold moves it from an event
 * into a document. An event says of no field whether it is absent, so a field may turn out to be when it is opened.
 */
export class SealedField {
  readonly value: SealedValue;
  readonly name: string;

  constructor(value: SealedValue, name: string) {
    this.value = value;
    this.name = name;
  }
}
