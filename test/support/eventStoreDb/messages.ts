import shared from '@eventstore/db-client/generated/shared_pb.js';
import statusMessages from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { BatchAppendReq, BatchAppendResp, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import { newAny } from './grpc.js';
import type { Expected, Kept, Proposed, Written } from './store.js';

type ProposedMessage = BatchAppendReq.ProposedMessage;

export const proposedOf = (message: Pick<ProposedMessage, keyof ProposedMessage>): Proposed => ({
  id: message.getId()?.getString() ?? '',
  type: message.getMetadataMap().get('type') ?? '',
  contentType: message.getMetadataMap().get('content-type') ?? '',
  data: message.getData_asU8(),
  metadata: message.getCustomMetadata_asU8(),
});

export const nameOf = (identifier: InstanceType<typeof shared.StreamIdentifier> | undefined): string =>
  Buffer.from(identifier?.getStreamName_asU8() ?? []).toString('utf8');

export const expectedOf = (options: BatchAppendReq.Options): Expected => {
  if (options.hasAny()) return 'any';
  if (options.hasStreamExists()) return 'exists';
  if (options.hasNoStream()) return 'noStream';
  return BigInt(options.getStreamPosition());
};

/** As the server writes an id that it does not send back as it came. */
const inHalves = (uuid: string): InstanceType<typeof shared.UUID> => {
  const hex = uuid.replaceAll('-', '');
  const half = (at: number): string => BigInt.asIntN(64, BigInt(`0x${hex.slice(at, at + 16)}`)).toString();
  const halves = new shared.UUID.Structured().setMostSignificantBits(half(0)).setLeastSignificantBits(half(16));
  return new shared.UUID().setStructured(halves);
};

export const batchAnswer = (request: { readonly correlation: string; readonly stream: string }): BatchAppendResp =>
  new streams.BatchAppendResp()
    .setCorrelationId(new shared.UUID().setString(request.correlation))
    .setStreamIdentifier(identifierOf(request.stream));

export const withWritten = (answer: BatchAppendResp, written: Written, expected: Expected): BatchAppendResp => {
  if (written.is === 'tooLarge') {
    const details = new shared.MaximumAppendSizeExceeded().setMaxappendsize(1_048_576);
    return withError(answer, { name: 'MaximumAppendSizeExceeded', details });
  }
  if (written.is === 'deleted')
    return withError(answer, { name: 'StreamDeleted', details: new shared.StreamDeleted() });
  if (written.is === 'wrongRevision') {
    return withError(answer, { name: 'WrongExpectedVersion', details: wrongRevision(written.actual, expected) });
  }
  const success = new streams.BatchAppendResp.Success();
  success.setCurrentRevision(written.revision.toString());
  if (written.position === undefined) success.setNoPosition(noContent());
  else success.setPosition(positionMessage(written.position));
  return answer.setSuccess(success);
};

type Details = { serializeBinary(): Uint8Array };
type ErrorAnswer = { readonly name: string; readonly details: Details; readonly message?: string };

export const withError = (answer: BatchAppendResp, { name, details, message = name }: ErrorAnswer): BatchAppendResp => {
  const any = newAny();
  any.pack(details.serializeBinary(), name.includes('.') ? name : `event_store.client.${name}`);
  return answer.setError(new statusMessages.Status().setMessage(message).setDetails(any));
};

/** The answer of a server that did not look at the append. */
export const withNotHandled = (answer: BatchAppendResp, message: string): BatchAppendResp =>
  withError(answer, { name: 'google.protobuf.Empty', details: new shared.Empty(), message });

/** With the id in halves, as the server's own timer has it, which gives up appends that are not complete. */
export const withTimeout = (answer: BatchAppendResp): BatchAppendResp =>
  withError(answer.setCorrelationId(inHalves(answer.getCorrelationId()?.getString() ?? '')), {
    name: 'Timeout',
    details: new shared.Timeout(),
  });

export const withDenied = (answer: BatchAppendResp): BatchAppendResp =>
  withError(answer, { name: 'AccessDenied', details: new shared.AccessDenied() });

/** The reason is in the details; the message is the same for all. */
export const withMalformed = (answer: BatchAppendResp, reason: string): BatchAppendResp =>
  withError(answer, { name: 'BadRequest', details: new shared.BadRequest().setMessage(reason) });

// Any message without fields will do; the one that the types name is in a package that comes only with the client.
const noContent = (): NonNullable<Parameters<BatchAppendResp.Success['setNoPosition']>[0]> => {
  const empty: object = new shared.Empty();
  return empty as ReturnType<typeof noContent>;
};

const wrongRevision = (actual: bigint, expected: Expected): Details => {
  const details = new shared.WrongExpectedVersion();
  if (actual >= 0n) details.setCurrentStreamRevision(actual.toString());
  else details.setCurrentNoStream(noContent());
  if (expected === 'any') details.setExpectedAny(noContent());
  else if (expected === 'exists') details.setExpectedStreamExists(noContent());
  else if (expected === 'noStream') details.setExpectedNoStream(noContent());
  else details.setExpectedStreamPosition(expected.toString());
  return details;
};

export const eventMessage = (event: Kept): ReadResp => {
  const recorded = new streams.ReadResp.ReadEvent.RecordedEvent()
    .setId(new shared.UUID().setString(event.id))
    .setStreamIdentifier(identifierOf(event.stream))
    .setStreamRevision(event.revision.toString())
    .setCommitPosition(event.position.toString())
    .setPreparePosition(event.position.toString())
    .setData(event.data)
    .setCustomMetadata(event.metadata);
  recorded
    .getMetadataMap()
    .set('type', event.type)
    .set('content-type', event.contentType)
    .set('created', event.created.toString());
  const read = new streams.ReadResp.ReadEvent().setEvent(recorded).setCommitPosition(event.position.toString());
  return new streams.ReadResp().setEvent(read);
};

export const confirmationMessage = (id: string): ReadResp =>
  new streams.ReadResp().setConfirmation(new streams.ReadResp.SubscriptionConfirmation().setSubscriptionId(id));

export const checkpointMessage = (position: bigint): ReadResp =>
  new streams.ReadResp().setCheckpoint(
    new streams.ReadResp.Checkpoint().setCommitPosition(position.toString()).setPreparePosition(position.toString()),
  );

export const caughtUpMessage = (): ReadResp => new streams.ReadResp().setCaughtUp(new streams.ReadResp.CaughtUp());

export const fellBehindMessage = (): ReadResp =>
  new streams.ReadResp().setFellBehind(new streams.ReadResp.FellBehind());

export const notFoundMessage = (stream: string): ReadResp =>
  new streams.ReadResp().setStreamNotFound(
    new streams.ReadResp.StreamNotFound().setStreamIdentifier(identifierOf(stream)),
  );

const identifierOf = (stream: string): InstanceType<typeof shared.StreamIdentifier> =>
  new shared.StreamIdentifier().setStreamName(Buffer.from(stream, 'utf8'));

const positionMessage = (position: bigint): InstanceType<typeof shared.AllStreamPosition> =>
  new shared.AllStreamPosition().setCommitPosition(position.toString()).setPreparePosition(position.toString());
