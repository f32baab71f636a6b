import { storedType } from '../kernel/codec.js';
import type { StoredEvent } from '../kernel/ports/eventLog.js';
import { parsedJson } from '../kernel/json.js';
import { communityStreams } from './communities/events.js';
import { memberStreams } from './members/events.js';
import { eventKinds } from './registry.js';

/**
 * The ids that came into the world with an event: those made from the clock, which later ids must be above. Other events
 * name ids as well, but only such as came before. Empty for events of other types, and for those
 * that cannot be read.
 */
export const mintedIds = (event: StoredEvent): readonly bigint[] =>
  [minting.get(event.type)?.(event), momentIn(event)].filter((id) => id !== undefined);

type Minting = (event: StoredEvent) => bigint | undefined;

const decimal = /^[1-9]\d{0,18}$/;
const idIn = (text: unknown): bigint | undefined =>
  typeof text === 'string' && decimal.test(text) ? BigInt(text) : undefined;

/** Of streams that are named after one id. */
const inStream: Minting = ({ stream }) => idIn(stream.slice(stream.indexOf('-') + 1));

const inField =
  (field: string): Minting =>
  ({ data }) =>
    fieldIn(data, field);

const fieldIn = (json: Uint8Array, field: string): bigint | undefined => {
  try {
    const parsed = parsedJson(Buffer.from(json).toString()) as Readonly<Record<string, unknown>> | null;
    return idIn(parsed?.[field]);
  } catch {
    // A reader that needs the event reports it.
    return undefined;
  }
};

// Events of other streams have no moment, and to read the metadata of every message would cost.
const momentStreams = [communityStreams, memberStreams];
const momentIn: Minting = ({ stream, metadata }) =>
  momentStreams.some(({ keyOf }) => keyOf(stream) !== undefined) ? fieldIn(metadata, 'moment') : undefined;

const minting = new Map<string, Minting>(
  eventKinds.flatMap((kind): readonly (readonly [string, Minting])[] => {
    if (kind.mints === undefined) return [];
    // A stream is cheaper to look at than a body, and most events are messages.
    return [[storedType(kind), kind.mints === 'stream' ? inStream : inField(kind.mints.field)]];
  }),
);
