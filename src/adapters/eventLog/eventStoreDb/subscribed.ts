import type { EventStoreDBClient } from '@eventstore/db-client';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import { beforeAll, type Position } from '../../../kernel/event.js';
import type { Millis } from '../../../kernel/ids.js';
import type { StoredEvent } from '../../../kernel/ports/eventLog.js';
import { uuidIn } from './batchAppend.js';
import { clientInside, type ReadCall } from './clientInside.js';
import { givenMetadata } from './records.js';

/** Events that the server looks through at a time for those that pass the filter, and so many windows between checkpoints. */
const searchWindowEvents = 1_000;
const checkpointWindows = 100;

export type SubscriptionListener = {
  readonly arrived: (event: StoredEvent) => void;
  /** Once at most; `error` is undefined when the server ended it without one. */
  readonly over: (error: unknown) => void;
};

/** A call that follows the whole log. */
export interface SubscriptionCall {
  /** A call that is left open would keep one of the connection's hundred places for ever. */
  leave(): void;
}

/**
 * Follows the log after a position, without the client's own subscription: that takes each event through a stream of its
 * own and parses data and metadata, which then have to be printed again, for the bytes are what is wanted.
 *
 * Always from a place, never from the end: a cut before the first event would lose all between the two. Checkpoints are
 * not listened to: several servers have sent wrong ones.
 */
export const subscribed = (
  client: EventStoreDBClient,
  { prefix, after }: { readonly prefix: string; readonly after: Position },
  listener: SubscriptionListener,
): SubscriptionCall => {
  let over = false;
  let open: ReadCall | undefined;
  const end = (error: unknown): void => {
    if (over) return;
    over = true;
    listener.over(error);
  };
  const begin = (call: ReadCall): void => {
    open = call;
    // Also of a call that was left, whose cancelling is an error to it.
    call.on('error', end);
    if (over) {
      call.cancel();
      return;
    }
    call.on('data', (response: ReadResp) => {
      if (over) return;
      try {
        const event = eventIn(response, prefix);
        if (event !== undefined) listener.arrived(event);
      } catch (error) {
        // Nobody could catch it here, and without this event there must be none of those behind it.
        call.cancel();
        end(error);
      }
    });
    for (const ending of ['end', 'close'] as const) call.on(ending, () => end(undefined));
  };
  clientInside(client).openRead(requestOf(prefix, after)).then(begin).catch(end);
  return {
    leave: () => {
      over = true;
      open?.cancel();
    },
  };
};

const requestOf = (prefix: string, after: Position): ReadReq => {
  const all = new streams.ReadReq.Options.AllOptions();
  if (after === beforeAll) all.setStart(new shared.Empty());
  else {
    const position = new streams.ReadReq.Options.Position();
    all.setPosition(position.setCommitPosition(after.toString()).setPreparePosition(after.toString()));
  }
  const options = new streams.ReadReq.Options()
    .setAll(all)
    .setSubscription(new streams.ReadReq.Options.SubscriptionOptions())
    .setUuidOption(new streams.ReadReq.Options.UUIDOption().setString(new shared.Empty()))
    .setFilter(filterOf(prefix));
  return new streams.ReadReq().setOptions(options);
};

/** Leaves out what is the server's own, or everything without the prefix. */
const filterOf = (prefix: string): ReadReq.Options.FilterOptions => {
  const expression = new streams.ReadReq.Options.FilterOptions.Expression();
  const filter = new streams.ReadReq.Options.FilterOptions()
    .setMax(searchWindowEvents)
    .setCheckpointintervalmultiplier(checkpointWindows);
  return prefix === ''
    ? filter.setEventType(expression.setRegex('^[^$].*'))
    : filter.setStreamIdentifier(expression.setPrefixList([prefix]));
};

/** Ticks of 100 ns, in which the server counts time. */
const ticksPerMilli = 10_000n;

/** `undefined` for what is no event, and for events that are not ours. Throws for what no server writes. */
const eventIn = (response: ReadResp, prefix: string): StoredEvent | undefined => {
  const recorded = response.getEvent()?.getEvent();
  if (recorded === undefined) return undefined;
  const about = recorded.getMetadataMap();
  const [type, created] = [about.get('type') ?? '', about.get('created') ?? '0'];
  const stream = Buffer.from(recorded.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString('utf8');
  if (type.startsWith('$') || stream.startsWith('$') || !stream.startsWith(prefix)) return undefined;
  return {
    id: uuidIn(recorded.getId()),
    type,
    data: recorded.getData_asU8(),
    metadata: givenMetadata(recorded.getCustomMetadata_asU8()),
    stream: stream.slice(prefix.length),
    revision: BigInt(recorded.getStreamRevision()),
    position: BigInt(recorded.getCommitPosition()),
    at: Number(BigInt(created) / ticksPerMilli) as Millis, // Milliseconds since 1970, as the brand says.
  };
};
