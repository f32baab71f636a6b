import type { EventCodec } from '../../kernel/codec.js';
import type { Recorded } from '../../kernel/event.js';
import type { StoredEvent } from '../../kernel/ports/eventLog.js';

/** A record that cannot be made out, today or tomorrow. */
export class Unreadable {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

export type DecodedEvent = Recorded | Unreadable | undefined;

export type Decoding = {
  readonly codec: Pick<EventCodec, 'readSealed'>;
  /** Records of other facts are not looked into. */
  readonly wants: (record: StoredEvent) => boolean;
};

/** The events of these records, each in its place, with what is personal in them still sealed: that takes no keys. */
export const decoded = (records: readonly StoredEvent[], { codec, wants }: Decoding): readonly DecodedEvent[] =>
  records.map((record) => (wants(record) ? read(codec, record) : undefined));

const read = (codec: Decoding['codec'], record: StoredEvent): DecodedEvent => {
  try {
    return codec.readSealed(record);
  } catch (error) {
    return new Unreadable(error);
  }
};
