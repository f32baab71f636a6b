import type { EventStoreDBClient } from '@eventstore/db-client';
import { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';

export type BatchAppendStream = ReturnType<StreamsClient['batchAppend']>;
export type ReadCall = ReturnType<StreamsClient['read']>;

/**
 * The members that the client declares `protected`: calls over its own channel, with its credentials, its discovery and
 * its reconnecting to the leader. It makes its clients itself, so it cannot be subclassed; hence this window. The
 * package is pinned to one version, and the tests over the stand-in server go through here.
 */
export type ClientInside = {
  /** Opens the call that carries many appends. It may take as long as finding and reaching the server does. */
  readonly openBatchAppend: () => Promise<BatchAppendStream>;
  /** Opens the call that follows the log. As long as for appends. */
  readonly openRead: (request: ReadReq) => Promise<ReadCall>;
  /** Closes the connection. `dispose` leaves it open, and must not be used: it would cut the calls of others. */
  readonly closeChannel: () => void;
};

export const clientInside = (client: EventStoreDBClient): ClientInside => {
  const inside = client as unknown as Protected; // See above.
  return {
    openBatchAppend: inside.GRPCStreamCreator(StreamsClient, 'appendToStream', (streams) =>
      streams.batchAppend(...inside.callArguments({}, { deadline: Infinity })),
    ),
    openRead: (request) =>
      inside.GRPCStreamCreator(StreamsClient, 'subscribeToAll', (streams) =>
        streams.read(request, ...inside.callArguments({}, { deadline: Infinity })),
      )(),
    closeChannel: () => {
      inside.getChannel().then(
        (channel) => channel.close(),
        () => undefined, // It never had a connection.
      );
    },
  };
};

type CallArguments = Required<Parameters<StreamsClient['batchAppend']>>;

type Protected = {
  GRPCStreamCreator<T>(
    service: typeof StreamsClient,
    name: string,
    open: (streams: StreamsClient) => T | Promise<T>,
  ): () => Promise<T>;
  callArguments(options: object, callOptions: { readonly deadline: number }): CallArguments;
  getChannel(): Promise<{ close(): void }>;
};
