import { createRequire } from 'node:module';
import type { IStreamsServer } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { Status } from '@eventstore/db-client/generated/status_pb.js';

// The client's own gRPC and protobuf: they come with it, and nothing else here may depend on them.
const ofClient = createRequire(createRequire(import.meta.url).resolve('@eventstore/db-client'));

export type BatchCall = Parameters<IStreamsServer['batchAppend']>[0];
export type ReadCall = Parameters<IStreamsServer['read']>[0];
export type Metadata = ReadCall['metadata'];

export type GrpcServer = {
  addService(service: object, handlers: object): void;
  bindAsync(address: string, credentials: object, bound: (error: Error | null, port: number) => void): void;
  forceShutdown(): void;
};

type Grpc = {
  readonly Server: new (options: Readonly<Record<string, number>>) => GrpcServer;
  readonly ServerCredentials: {
    createInsecure(): object;
    createSsl(roots: null, pairs: readonly { readonly private_key: Buffer; readonly cert_chain: Buffer }[]): object;
  };
  readonly Metadata: new () => Metadata;
};

export const grpc = ofClient('@grpc/grpc-js') as Grpc; // As much of that module as is used here.

export type AnyMessage = NonNullable<ReturnType<Status['getDetails']>>;
const anyModule = ofClient('google-protobuf/google/protobuf/any_pb.js') as { readonly Any: new () => AnyMessage }; // Its class.
export const newAny = (): AnyMessage => new anyModule.Any();

export const code = {
  notFound: 5,
  permissionDenied: 7,
  failedPrecondition: 9,
  aborted: 10,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
  unknown: 2,
} as const;

/** What a handler fails a call with. */
export const failure = (
  status: (typeof code)[keyof typeof code],
  details: string,
  trailers: Readonly<Record<string, string>> = {},
) => {
  const metadata = new grpc.Metadata();
  for (const [key, value] of Object.entries(trailers)) metadata.add(key, value);
  return Object.assign(new Error(details), { code: status, details, metadata });
};

export type Failure = ReturnType<typeof failure>;
export const unavailable = (details: string): Failure => failure(code.unavailable, details);

export const notLeader = (port: number): Failure =>
  failure(code.notFound, 'Leader info available', {
    exception: 'not-leader',
    'leader-endpoint-host': '127.0.0.1',
    'leader-endpoint-port': port.toString(),
  });
