import type { EventCodec } from '../../kernel/codec.js';
import type { Recorded } from '../../kernel/event.js';
import type { StoredEvent } from '../../kernel/ports/eventLog.js';
import { KeysMissing, type Sealer } from '../../kernel/ports/sealer.js';
import { retrying, type Patience } from './retrying.js';

/** A record that cannot be made out, today or tomorrow. */
export class Unreadable {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

export type DecodedEvent = Recorded | Unreadable | undefined;

export type Decoding = {
  readonly codec: EventCodec;
  readonly sealer: Sealer;
  readonly patience: Patience;
  /** Records of other facts are not looked into. */
  readonly wants: (record: StoredEvent) => boolean;
};

/** The events of these records, each in its place. Waits for keys for as long as it takes; throws `GivenUp` only. */
export const decoded = async (
  records: readonly StoredEvent[],
  decoding: Decoding,
): Promise<readonly DecodedEvent[]> => {
  const { wants, codec } = decoding;
  const first = records.map((record) => (wants(record) ? read(codec, record) : undefined));
  const missing = new Set(first.flatMap((found) => (found instanceof KeysMissing ? found.names : [])));
  // The answer needs no copy when all keys are in memory, which is nearly always.
  if (missing.size === 0) return first as readonly DecodedEvent[];
  await load([...missing], decoding);
  const opened: DecodedEvent[] = [];
  for (const [index, record] of records.entries()) {
    const found = first[index];
    opened.push(found instanceof KeysMissing ? await readWithKeys(record, decoding) : found);
  }
  return opened;
};

const keyLoadsMax = 3;

const readWithKeys = async (record: StoredEvent, decoding: Decoding): Promise<DecodedEvent> => {
  for (let loads = 1; ; loads += 1) {
    const found = read(decoding.codec, record);
    if (!(found instanceof KeysMissing)) return found;
    if (loads > keyLoadsMax) return new Unreadable(new Error(`keys stay missing: ${found.names.join(', ')}`));
    await load(found.names, decoding);
  }
};

const load = (names: readonly string[], { sealer, patience }: Decoding): Promise<void> =>
  retrying('loading keys', () => sealer.loadKeys(names), patience);

const read = (codec: EventCodec, record: StoredEvent): DecodedEvent | KeysMissing => {
  try {
    return codec.read(record);
  } catch (error) {
    return new Unreadable(error);
  }
};
