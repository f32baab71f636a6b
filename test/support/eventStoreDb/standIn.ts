import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import { ServerFeaturesService } from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import { GossipService } from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import { StreamsService } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { DeleteReq, TombstoneReq } from '@eventstore/db-client/generated/streams_pb.js';
import { append, batchAppend } from './appending.js';
import { code, failure, grpc, type GrpcServer } from './grpc.js';
import { nameOf } from './messages.js';
import { writeOthers } from './others.js';
import { read } from './reading.js';
import { ServerState } from './state.js';

/**
 * A server that speaks EventStoreDB's services through the client's own generated code, in this process, on a free port
 * of the loopback. It keeps everything in memory and behaves as EventStoreDB 23.10 was measured to; `state` has its
 * faults and what it keeps.
 */
export type StandIn = {
  readonly state: ServerState;
  readonly connectionString: string;
  /** As by `kill -9`: all connections break. What is stored stays. */
  kill(): void;
  /** On the same port again. */
  start(): Promise<void>;
};

export type StandInOptions = {
  readonly tls?: { readonly key: Buffer; readonly certificate: Buffer };
  /** Default: a free one. */
  readonly port?: number;
  /** So much later than it could be each append and read is answered, and a subscription tells of what is new. Default: 0. */
  readonly latencyMillis?: number;
  /** So many events of others are there from the beginning. Default: 0. */
  readonly others?: number;
};

export const startStandIn = async ({
  tls,
  port: wanted = 0,
  latencyMillis = 0,
  others = 0,
}: StandInOptions = {}): Promise<StandIn> => {
  const state = new ServerState();
  state.port = wanted;
  state.latencyMillis = latencyMillis;
  writeOthers(state.store, others);
  const credentials =
    tls === undefined
      ? grpc.ServerCredentials.createInsecure()
      : grpc.ServerCredentials.createSsl(null, [{ private_key: tls.key, cert_chain: tls.certificate }]);
  let server: GrpcServer | undefined;
  const start = async (): Promise<void> => {
    const starting = serverOf(state);
    state.port = await new Promise<number>((resolve, reject) => {
      starting.bindAsync(`127.0.0.1:${state.port.toString()}`, credentials, (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    });
    server = starting;
  };
  await start();
  return {
    state,
    connectionString: `esdb://127.0.0.1:${state.port.toString()}?tls=false`,
    start,
    kill: () => {
      server?.forceShutdown();
      server = undefined;
    },
  };
};

const serverOf = (state: ServerState): GrpcServer => {
  const server = new grpc.Server({
    'grpc.max_concurrent_streams': 100,
    'grpc.max_receive_message_length': 17 * 1024 * 1024,
  });
  server.addService(StreamsService, {
    batchAppend: batchAppend(state),
    append: append(state),
    read: read(state),
    delete: remove(state, new streams.DeleteResp(), (stream) => state.store.softDelete(stream)),
    tombstone: remove(state, new streams.TombstoneResp(), (stream) => state.store.tombstone(stream)),
  });
  server.addService(ServerFeaturesService, { getSupportedMethods: supportedMethods(state) });
  server.addService(GossipService, { read: (_: object, respond: Respond) => respond(null, clusterOf(state)) });
  return server;
};

type Respond = (error: Error | null, response?: object) => void;

const remove =
  (state: ServerState, answer: object, act: (stream: string) => void) =>
  (call: { readonly request: DeleteReq | TombstoneReq }, respond: Respond): void => {
    act(nameOf(call.request.getOptions()?.getStreamIdentifier()));
    state.events.emit('written');
    respond(null, answer);
  };

const supportedMethods =
  (state: ServerState) =>
  (_: object, respond: Respond): void => {
    state.seen.features += 1;
    const fault = state.faults.features.take();
    if (fault === 'silence') return;
    if (fault === 'internal') {
      respond(failure(code.internal, 'boom'));
      return;
    }
    const batch = new features.SupportedMethod().setServiceName('event_store.client.streams.streams');
    batch.setMethodName('batchappend');
    respond(null, new features.SupportedMethods().setMethodsList([batch]).setEventStoreServerVersion('23.10.0'));
  };

/** A cluster of one, which it leads. */
const clusterOf = (state: ServerState): InstanceType<typeof gossip.ClusterInfo> => {
  const member = new gossip.MemberInfo()
    .setInstanceId(new shared.UUID().setString('6f1a1a5e-3f0c-4b3a-9b6e-0d1d7f0e8a11'))
    .setTimeStamp(Date.now().toString())
    .setState(gossip.MemberInfo.VNodeState.LEADER)
    .setIsAlive(true)
    .setHttpEndPoint(new gossip.EndPoint().setAddress('127.0.0.1').setPort(state.port));
  return new gossip.ClusterInfo().setMembersList([member]);
};
