import type { EventStoreDBClient } from '@eventstore/db-client';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { Status } from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { Position } from '../../../kernel/event.js';
import type { NewEvent } from '../../../kernel/ports/eventLog.js';
import { clientInside, type BatchAppendStream } from './clientInside.js';
import { contentTypeOf, storedMetadata } from './records.js';

/** With its prefix, as the server knows it; and as the caller does. */
export type StreamName = { readonly full: string; readonly plain: string };

/** The events of one append, made into what is sent. The caller may use its buffers again. */
export type Proposal = {
  readonly stream: StreamName;
  readonly ids: readonly string[];
  readonly messages: readonly BatchAppendReq.ProposedMessage[];
  readonly bytes: number;
};

/**
 * The last revision that the stream must have, -1 when it must have no event. Never less: see the decision record. A
 * bigint, as every position is: the client takes numbers as well, which above 2^53 are others than were meant.
 */
export type WireRevision = bigint;
export const noStreamRevision: WireRevision = -1n;

export type AppendAnswer =
  | { readonly is: 'written'; readonly revision: bigint; readonly position: Position | undefined }
  | { readonly is: 'wrongRevision'; readonly actual: WireRevision }
  /** For good, and nothing was written. */
  | { readonly is: 'refused'; readonly invalid: string }
  | { readonly is: 'denied' }
  /** Not ready, busy, timed out: perhaps written, perhaps not. */
  | { readonly is: 'unclear'; readonly message: string };

/** The one call that carries many appends. The server takes them in the order in which they are sent. */
export interface BatchAppendCall {
  send(correlation: string, proposal: Proposal, expected: WireRevision): void;
  /** Ends the call, which is then `broken` by this error. */
  giveUp(error: unknown): void;
}

export type CallListener = {
  readonly answered: (correlation: string, answer: AppendAnswer) => void;
  /**
   * Once at most, also when the server ends the call without an error; an append not answered by then never will be.
   */
  readonly broken: (error: unknown) => void;
};

/**
 * Opens the call without the client's own bookkeeping: that has one table of waiting appends for the whole process, so
 * that one broken connection fails the appends of all others; it never settles what the server does not answer; it
 * throws where nobody can catch it when an answer comes twice or late; it rejects unheard when a call breaks under a load
 * of waiting writes; and before its first append it asks what the server can do, without a time limit, and remembers for
 * ever when that fails.
 */
export const openBatchAppend = async (client: EventStoreDBClient, listener: CallListener): Promise<BatchAppendCall> => {
  const stream = await clientInside(client).openBatchAppend();
  let over = false;
  const broken = (error: unknown): void => {
    if (over) return;
    over = true;
    listener.broken(error);
  };
  listen(stream, { answered: (...answer) => !over && listener.answered(...answer), broken });
  return {
    // How much is written ahead is bounded by the writer: so the stream's own limit need not be waited for.
    send: (correlation, proposal, expected) => {
      if (!over) stream.write(requestOf(correlation, proposal, expected));
    },
    giveUp: (error) => {
      stream.cancel();
      broken(error);
    },
  };
};

const listen = (stream: BatchAppendStream, { answered, broken }: CallListener): void => {
  stream.on('data', (response: BatchAppendResp) => {
    answered(uuidIn(response.getCorrelationId()), answerOf(response));
  });
  stream.on('error', broken);
  const ended = (): void => broken(new Error('the server ended the call'));
  stream.on('end', ended);
  stream.on('close', ended);
};

/** A server sends an id back as it came, or writes it in halves of 64 bits with a sign. */
export const uuidIn = (uuid: InstanceType<typeof shared.UUID> | undefined): string => {
  if (uuid?.hasStructured() !== true) return uuid?.getString() ?? '';
  const halves = uuid.getStructured();
  return [halves?.getMostSignificantBits(), halves?.getLeastSignificantBits()]
    .map((half) =>
      BigInt.asUintN(64, BigInt(half ?? 0))
        .toString(16)
        .padStart(16, '0'),
    )
    .join('')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
};

export const proposalOf = (stream: StreamName, events: readonly NewEvent[]): Proposal => {
  const messages = events.map(messageOf);
  return { stream, ids: events.map(({ id }) => id), messages, bytes: bytesOf(events) };
};

/** As the server counts: types at two bytes for a character. */
export const bytesOf = (events: readonly NewEvent[]): number =>
  events.reduce((sum, { type, data, metadata }) => sum + 2 * type.length + data.length + metadata.length, 0);

const messageOf = ({ id, type, data, metadata }: NewEvent): BatchAppendReq.ProposedMessage => {
  const message = new streams.BatchAppendReq.ProposedMessage();
  message.setId(new shared.UUID().setString(id));
  message.getMetadataMap().set('type', type).set('content-type', contentTypeOf(data));
  message.setData(Uint8Array.from(data));
  message.setCustomMetadata(Uint8Array.from(storedMetadata(metadata)));
  return message;
};

// No deadline goes along: it would be a point in time on this machine's clock, which the server compares with its own.
const requestOf = (correlation: string, { stream, messages }: Proposal, expected: WireRevision): BatchAppendReq => {
  const options = new streams.BatchAppendReq.Options();
  options.setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(stream.full, 'utf8')));
  // -1 has a field of its own: as a number it has no place in the other, and the client fails in making the message.
  if (expected === noStreamRevision) options.setNoStream(noContent());
  else options.setStreamPosition(expected.toString());
  return new streams.BatchAppendReq()
    .setCorrelationId(new shared.UUID().setString(correlation))
    .setOptions(options)
    .setProposedMessagesList([...messages])
    .setIsFinal(true);
};

// Any message without fields will do; the one that the types name is in a package that comes only with the client.
const noContent = (): NonNullable<Parameters<BatchAppendReq.Options['setNoStream']>[0]> => {
  const empty: object = new shared.Empty();
  return empty as ReturnType<typeof noContent>;
};

const answerOf = (response: BatchAppendResp): AppendAnswer => {
  const error = response.getError();
  if (error !== undefined) return errorAnswerOf(error);
  const success = response.getSuccess();
  if (success === undefined) return { is: 'unclear', message: 'an empty answer' };
  const position = success.getPosition();
  return {
    is: 'written',
    revision: BigInt(success.getCurrentRevision()),
    position: position === undefined ? undefined : BigInt(position.getCommitPosition()),
  };
};

const errorAnswerOf = (error: Status): AppendAnswer => {
  const details = error.getDetails();
  const name = details?.getTypeName().split('.').at(-1) ?? '';
  if (name === 'WrongExpectedVersion') {
    const wrong = details?.unpack(
      (bytes) => shared.WrongExpectedVersion.deserializeBinary(bytes),
      details.getTypeName(),
    );
    return { is: 'wrongRevision', actual: actualOf(wrong) };
  }
  if (name === 'StreamDeleted') return { is: 'refused', invalid: 'the stream was deleted for ever' };
  if (name === 'MaximumAppendSizeExceeded')
    return { is: 'refused', invalid: 'the append is larger than the server takes' };
  if (name === 'BadRequest') {
    const bad = details?.unpack((bytes) => shared.BadRequest.deserializeBinary(bytes), details.getTypeName());
    return { is: 'refused', invalid: `the server takes it for malformed: ${bad?.getMessage() ?? error.getMessage()}` };
  }
  if (name === 'AccessDenied') return { is: 'denied' };
  return { is: 'unclear', message: `${name} ${error.getMessage()}`.trim() };
};

// Whether there is a revision, and then which: the client that is told not to throw takes the one for the other, and
// says 1 for every stream that has events.
const actualOf = (wrong: InstanceType<typeof shared.WrongExpectedVersion> | null | undefined): WireRevision =>
  wrong?.hasCurrentStreamRevision() === true ? BigInt(wrong.getCurrentStreamRevision()) : noStreamRevision;
