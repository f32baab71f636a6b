import type { Recorded } from './event.js';
import { epochMillis, snowflakeOf, type Millis } from './ids.js';

/**
 * When an event happened, as an id: messages with higher ids were sent after the event, all others before. Exact among
 * the events of one node, and of nodes that saw each other's events; of two that are written on two nodes at the same
 * moment either may count as the earlier one. Events from before `Metadata.moment` was written are known to the
 * millisecond of the log's clock: a message of that millisecond counts as sent after the event.
 */
export const momentOf = ({ metadata, at }: Pick<Recorded, 'metadata' | 'at'>): bigint =>
  written(metadata) ?? beforeIdsOf(at);

const decimal = /^\d{1,19}$/;

// Metadata is not checked against a schema when it is read, and a fold must not throw.
const written = ({ moment }: { readonly moment?: unknown }): bigint | undefined =>
  typeof moment === 'string' && decimal.test(moment) ? BigInt(moment) : undefined;

const beforeIdsOf = (at: Millis): bigint => (at <= epochMillis ? 0n : snowflakeOf({ at, node: 0, counter: 0 }) - 1n);
