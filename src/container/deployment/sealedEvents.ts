import { isKnownTo, keysFor } from '../../adapters/sealer/openable.js';
import { closedSealer } from '../../adapters/sealer/closedSealer.js';
import { keysStream } from '../../domain/deployments/events.js';
import { eventKinds } from '../../domain/registry.js';
import { eventCodec } from '../../kernel/codec.js';
import { beforeAll, type Position, type Recorded } from '../../kernel/event.js';
import { shredded } from '../../kernel/opened.js';
import type { EventLog, StoredEvent } from '../../kernel/ports/eventLog.js';
import { KeysMissing, type SealBinding, type Sealer } from '../../kernel/ports/sealer.js';
import type { Vault } from '../../kernel/ports/vault.js';

/** Events that are read at once. */
export const pageEvents = 1_000;
/** Of the events since the keys were last counted, so many of the newest are looked at. */
export const uncountedEventsMax = 5_000;
/** Keys that a vault is asked for at once: a shared one is asked over the network. */
const keysAtOnce = 100;

/**
 * How many keys the vault has never had, of those that the newest events are sealed under. The events up to the last
 * count of keys are left out, because the count tells of theirs, and so are those up to `givenUpTo`. A destroyed key
 * is one that the vault has had.
 */
export const keysMissingIn = async (vault: Vault, log: EventLog, givenUpTo: Position = beforeAll): Promise<number> => {
  const sealed = sealedIn(await uncounted(log, givenUpTo));
  const wanted = [...new Set(sealed.flatMap((one) => keysFor(...one)))];
  let missing = 0;
  while (wanted.length > 0) {
    const found = await Promise.all(wanted.splice(0, keysAtOnce).map((name) => vault.get(name)));
    missing += found.filter((key) => key === undefined).length;
  }
  return missing;
};

const uncounted = async (log: EventLog, givenUpTo: Position): Promise<readonly StoredEvent[]> => {
  const events: StoredEvent[] = [];
  const isKnown = ({ stream, position }: StoredEvent): boolean => stream === keysStream || position <= givenUpTo;
  for (;;) {
    const oldest = events.at(-1);
    const from = oldest === undefined ? {} : { from: oldest.position };
    const page = await log.readAll({ ...from, limit: pageEvents, direction: 'backwards' });
    const known = page.findIndex(isKnown);
    events.push(...(known === -1 ? page : page.slice(0, known)));
    if (known !== -1 || page.length < pageEvents || events.length >= uncountedEventsMax) return events;
  }
};

/** Whether any sealed event after this position does not open. Reads the whole log up to the first that does not. */
export const hasUnopened = async (log: EventLog, vault: Vault, after: Position = beforeAll): Promise<boolean> => {
  for (let from = after; ;) {
    const events = await log.readAll({ from, limit: pageEvents });
    if ((await unopenedIn(vault, events)) > 0) return true;
    const last = events.at(-1);
    if (last === undefined) return false;
    from = last.position;
  }
};

/** How many of the sealed events among these the vault does not open. */
export const unopenedIn = async (vault: Vault, events: readonly StoredEvent[]): Promise<number> => {
  const known = await Promise.all(sealedIn(events).map((one) => isKnownTo(vault, ...one)));
  return known.filter((isKnown) => !isKnown).length;
};

export type BoundValue = readonly [Uint8Array, SealBinding];

export const sealedIn = (events: readonly StoredEvent[]): readonly BoundValue[] => {
  const read = closedReader();
  return events.flatMap((event) => read(event).sealed);
};

export type ClosedEvent = {
  /** Its personal fields read as erased. `undefined` for a type that this release does not know. */
  readonly recorded: Recorded | undefined;
  readonly sealed: readonly BoundValue[];
};

/**
 * Reads events without any key. The codec knows what an event's sealed part is bound to, and asks the sealer to open
 * it. The reader throws for an event that is not of the form that its type has.
 */
export const closedReader = (): ((event: StoredEvent) => ClosedEvent) => {
  let sealed: BoundValue[] = [];
  const collecting: Sealer = {
    ...closedSealer,
    open: (bytes, binding) => {
      sealed.push([bytes, binding]);
      return shredded;
    },
  };
  const codec = eventCodec(eventKinds, collecting);
  return (event) => {
    sealed = [];
    codec.metadata(event);
    const recorded = codec.read(event);
    return { recorded: recorded instanceof KeysMissing ? undefined : recorded, sealed };
  };
};
