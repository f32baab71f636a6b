import type { RecordedEvent, ResolvedEvent } from '@eventstore/db-client';
import type { Millis } from '../../../kernel/ids.js';
import type { StoredEvent } from '../../../kernel/ports/eventLog.js';
import { parsedJson } from '../../../kernel/json.js';

export type ContentType = 'application/json' | 'application/octet-stream';

/**
 * The client gives JSON back parsed, never as bytes. So only what parsing and printing leaves as it is goes by that
 * name; that is everything our codec writes, and it can be read in the store's own tools. The rest is opaque bytes.
 */
export const contentTypeOf = (data: Uint8Array): ContentType =>
  data[0] === openingBrace && comesBackAs(data) === 'itself' ? 'application/json' : 'application/octet-stream';

/**
 * The client parses any metadata that looks like JSON, regardless of its type; metadata that parsing would change is
 * marked.
 */
export const storedMetadata = (metadata: Uint8Array): Uint8Array =>
  metadata[0] === opaqueMark || comesBackAs(metadata) === 'other'
    ? Buffer.concat([Uint8Array.of(opaqueMark), metadata])
    : metadata;

/** `undefined` for what is not one of our events: those of the store itself, and of streams without the prefix. */
export const storedEventOf = (resolved: ResolvedEvent, prefix: string): StoredEvent | undefined => {
  const event: RecordedEvent | undefined = resolved.event;
  if (event === undefined || event.type.startsWith('$')) return undefined;
  if (event.streamId.startsWith('$') || !event.streamId.startsWith(prefix)) return undefined;
  return {
    id: event.id,
    type: event.type,
    data: event.isJson ? printed(event.data) : event.data,
    metadata: givenMetadata(event.metadata),
    stream: event.streamId.slice(prefix.length),
    revision: event.revision,
    position: positionOf(resolved),
    at: event.created.getTime() as Millis, // Milliseconds since 1970, as the brand says.
  };
};

/** The store has two numbers for a place; they are the same for everything that was written without transactions. */
export const positionOf = ({ event, commitPosition }: ResolvedEvent): bigint => {
  const position = event?.position?.commit ?? commitPosition;
  if (position === undefined) throw new Error('the server gives no positions: it is older than 22.6');
  return position;
};

const openingBrace = 0x7b;

/** No UTF-8 text begins with this byte, so no JSON does. */
const opaqueMark = 0xff;

/**
 * The result of the client for bytes that it takes for JSON: the same, other ones, or nothing because they do not
 * parse.
 */
const comesBackAs = (bytes: Uint8Array): 'itself' | 'other' | 'unparsed' => {
  try {
    return printed(parsedJson(Buffer.from(bytes).toString('utf8'))).equals(bytes) ? 'itself' : 'other';
  } catch {
    return 'unparsed';
  }
};

/** The bytes that were stored, whether they come as such or parsed by the client. */
export const givenMetadata = (metadata: unknown): Uint8Array => {
  if (metadata === undefined) return new Uint8Array(0);
  if (!(metadata instanceof Uint8Array)) return printed(metadata);
  return metadata[0] === opaqueMark ? metadata.subarray(1) : metadata;
};

const printed = (value: unknown): Buffer => Buffer.from(JSON.stringify(value), 'utf8');
