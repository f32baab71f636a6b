import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import { code, failure, notLeader, unavailable, type ReadCall } from './grpc.js';
import { eventMessage, nameOf, notFoundMessage } from './messages.js';
import type { ServerState } from './state.js';
import type { Kept, Store } from './store.js';
import { subscribe } from './subscribing.js';

export const read =
  (state: ServerState) =>
  (call: ReadCall): void => {
    state.seen.openCalls += 1;
    call.on('close', () => (state.seen.openCalls -= 1));
    call.on('error', () => undefined); // The client went away.
    state.seen.authorization = call.metadata.get('authorization').join();
    const options = call.request.getOptions();
    if (options === undefined) call.emit('error', failure(code.unknown, 'no options'));
    else if (options.hasSubscription()) subscribe(state, call, options);
    else if (state.latencyMillis === 0) readOnce(state, call, options);
    else setTimeout(readOnce, state.latencyMillis, state, call, options);
  };

const readOnce = (state: ServerState, call: ReadCall, options: ReadReq.Options): void => {
  state.seen.reads += 1;
  const fault = state.faults.reads.take();
  if (fault === 'silence') return;
  if (fault === 'drop') return void call.emit('error', unavailable('Connection dropped'));
  if (fault === 'notLeader') return void call.emit('error', notLeader(state.port));
  if (fault === 'notReady') return void call.emit('error', unavailable('Server Is Not Ready'));
  if (fault === 'busy') return void call.emit('error', unavailable('Server Is Too Busy'));
  if (fault === 'unauthenticated')
    return void call.emit('error', failure(code.unauthenticated, 'AuthenticationException'));
  if (fault === 'denied') return void call.emit('error', failure(code.permissionDenied, 'Access Denied'));
  if (fault === 'failed')
    return void call.emit(
      'error',
      failure(code.unknown, `Unexpected Read${options.hasStream() ? 'Stream' : 'All'}Result: Error`),
    );
  const messages = found(state, options, fault === 'behind' ? 2 : 0);
  if (messages instanceof Error) return void call.emit('error', messages);
  if (fault === 'dropMidway') {
    for (const message of messages.slice(0, messages.length >> 1)) call.write(message);
    return void call.emit('error', unavailable('Connection dropped'));
  }
  for (const message of messages) call.write(message);
  call.end();
};

const found = (state: ServerState, options: ReadReq.Options, unseen: number): readonly ReadResp[] | Error => {
  const backwards = options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS;
  const count = Math.min(Number(options.getCount()), Number.MAX_SAFE_INTEGER);
  const stream = options.getStream();
  try {
    if (stream === undefined)
      return state
        .lookedAt(ofAll(seenOf(state.store, unseen), options.getAll(), { backwards, count }))
        .map(eventMessage);
    const name = nameOf(stream.getStreamIdentifier());
    if (state.store.isTombstone(name)) {
      const trailers = { exception: 'stream-deleted', 'stream-name': name };
      return failure(code.failedPrecondition, `Event stream '${name}' is deleted.`, trailers);
    }
    const readable = state.store.readable(name);
    const events = readable?.slice(0, Math.max(0, readable.length - unseen));
    if (events === undefined) return [notFoundMessage(name)];
    const from = stream.hasRevision() ? BigInt(stream.getRevision()) : undefined;
    return ofStream(events, from, { backwards, count }).map(eventMessage);
  } catch (error) {
    return failure(code.unknown, String(error));
  }
};

/** What a machine that lags behind has of the log. */
const seenOf = (store: Store, unseen: number): Readable => ({
  log: unseen === 0 ? store.log : store.log.slice(0, -unseen),
  countBefore: (position) => store.countBefore(position),
});

type Readable = { readonly log: readonly Kept[]; countBefore(position: bigint): number };
type Range = { readonly backwards: boolean; readonly count: number };

/** From a revision on, which is included either way. */
const ofStream = (events: readonly Kept[], from: bigint | undefined, { backwards, count }: Range): readonly Kept[] => {
  if (!backwards) return events.filter(({ revision }) => from === undefined || revision >= from).slice(0, count);
  return events
    .filter(({ revision }) => from === undefined || revision <= from)
    .slice(-count)
    .reverse();
};

/** From a position on: forwards it is included, backwards it is not. */
const ofAll = (
  store: Readable,
  all: ReadReq.Options.AllOptions | undefined,
  { backwards, count }: Range,
): readonly Kept[] => {
  const position = all?.getPosition();
  const before = position === undefined ? undefined : store.countBefore(BigInt(position.getCommitPosition()));
  if (!backwards) {
    const start = before ?? (all?.hasEnd() === true ? store.log.length : 0);
    return store.log.slice(start, start + count);
  }
  const end = before ?? (all?.hasStart() === true ? 0 : store.log.length);
  return store.log.slice(Math.max(0, end - count), end).reverse();
};
