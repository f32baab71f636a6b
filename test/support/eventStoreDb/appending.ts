import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type {
  AppendReq,
  AppendResp,
  BatchAppendReq,
  BatchAppendResp,
} from '@eventstore/db-client/generated/streams_pb.js';
import type { IStreamsServer } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { AppendFault } from './faults.js';
import { code, failure, notLeader, unavailable, type BatchCall, type Failure } from './grpc.js';
import {
  batchAnswer,
  expectedOf,
  nameOf,
  proposedOf,
  withDenied,
  withMalformed,
  withNotHandled,
  withTimeout,
  withWritten,
} from './messages.js';
import type { ServerState } from './state.js';
import type { Expected, Proposed, Written } from './store.js';

type Request = {
  readonly correlation: string;
  readonly stream: string;
  readonly expected: Expected;
  readonly deadline: number;
  readonly events: Proposed[];
};

/** The call that carries many appends: they are taken one after the other, in the order in which they come. */
export const batchAppend =
  (state: ServerState) =>
  (call: BatchCall): void => {
    const gathering = new Map<string, Request>();
    const talk = { over: false };
    call.on('data', (message: BatchAppendReq) => {
      const request = gathered(gathering, message);
      if (request === undefined || talk.over) return;
      state.seen.appends += 1;
      handled(state, { call, talk, request }, state.faults.appends.take());
    });
    call.on('end', () => {
      if (!talk.over) call.end();
    });
    call.on('error', () => undefined); // The client went away.
  };

const gathered = (gathering: Map<string, Request>, message: BatchAppendReq): Request | undefined => {
  const correlation = message.getCorrelationId()?.getString() ?? '';
  const options = message.getOptions();
  if (options !== undefined) {
    gathering.set(correlation, {
      correlation,
      stream: nameOf(options.getStreamIdentifier()),
      expected: expectedOf(options),
      deadline: options.getDeadline()?.toDate().getTime() ?? Number.POSITIVE_INFINITY,
      events: [],
    });
  }
  const request = gathering.get(correlation);
  request?.events.push(...message.getProposedMessagesList().map(proposedOf));
  if (!message.getIsFinal()) return undefined;
  gathering.delete(correlation);
  return request;
};

type Talk = { readonly call: BatchCall; readonly talk: { over: boolean }; readonly request: Request };

const handled = (state: ServerState, { call, talk, request }: Talk, fault: AppendFault | undefined): void => {
  const answer = batchAnswer(request);
  const send = (response: BatchAppendResp): void => {
    const answerNow = (): void => {
      if (!talk.over) call.write(response);
    };
    if (state.latencyMillis === 0) setImmediate(answerNow);
    else setTimeout(answerNow, state.latencyMillis);
  };
  const stop = (error?: Failure): void => {
    talk.over = true;
    if (error === undefined) call.end();
    else call.emit('error', error);
  };
  const write = (): Written => state.append(request.stream, request.expected, request.events);
  const written = (): BatchAppendResp => withWritten(answer, write(), request.expected);

  const plainly = (): void =>
    send(request.deadline < Date.now() + state.clockAheadMillis ? withTimeout(answer) : written());
  const doing: Readonly<Record<AppendFault, () => void>> = {
    dropBeforeWrite: () => stop(unavailable('Connection dropped')),
    dropAfterWrite: () => {
      write();
      stop(unavailable('Connection dropped'));
    },
    answerTwice: () => {
      const response = written();
      send(response);
      send(response);
    },
    silence: () => undefined,
    silenceAfterWrite: () => void write(),
    cleanEnd: () => stop(),
    notLeader: () => stop(notLeader(state.port)),
    notReady: () => send(withNotHandled(answer, 'Server Is Not Ready')),
    busy: () => send(withNotHandled(answer, 'Server Is Busy')),
    timeoutAfterWrite: () => {
      write();
      send(withTimeout(answer));
    },
    denied: () => send(withDenied(answer)),
    malformed: () => send(withMalformed(answer, 'no such metadata key')),
  };
  if (fault === undefined) plainly();
  else doing[fault]();
};

/** One append for each call, as the client makes it when it is given credentials. Without faults. */
export const append =
  (state: ServerState): IStreamsServer['append'] =>
  (call, respond) => {
    let options: AppendReq.Options | undefined;
    const events: Proposed[] = [];
    call.on('data', (message: AppendReq) => {
      options ??= message.getOptions();
      const proposed = message.getProposedMessage();
      if (proposed !== undefined) events.push(proposedOf(proposed));
    });
    call.on('end', () => {
      state.seen.appends += 1;
      const expected = options === undefined ? 'any' : expectedOfCall(options);
      const written = state.append(nameOf(options?.getStreamIdentifier()), expected, events);
      if (written.is === 'deleted' || written.is === 'tooLarge') respond(failure(code.unknown, written.is));
      else respond(null, plainAnswer(written));
    });
  };

const expectedOfCall = (options: AppendReq.Options): Expected => {
  if (options.hasAny()) return 'any';
  if (options.hasStreamExists()) return 'exists';
  return options.hasNoStream() ? 'noStream' : BigInt(options.getRevision());
};

const plainAnswer = (written: Written & { readonly is: 'written' | 'wrongRevision' }): AppendResp => {
  const response = new streams.AppendResp();
  if (written.is === 'wrongRevision') {
    const wrong = new streams.AppendResp.WrongExpectedVersion();
    if (written.actual >= 0n) wrong.setCurrentRevision(written.actual.toString());
    else wrong.setCurrentNoStream(new shared.Empty());
    return response.setWrongExpectedVersion(wrong.setExpectedAny(new shared.Empty()));
  }
  const success = new streams.AppendResp.Success().setCurrentRevision(written.revision.toString());
  if (written.position === undefined) return response.setSuccess(success.setNoPosition(new shared.Empty()));
  const position = written.position.toString();
  return response.setSuccess(
    success.setPosition(new streams.AppendResp.Position().setCommitPosition(position).setPreparePosition(position)),
  );
};
