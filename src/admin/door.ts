import type { Socket } from 'node:net';
import type { Timers } from '../kernel/ports/leases.js';
import { lineReader } from '../kernel/lines.js';
import { serialQueues } from '../kernel/serialQueue.js';
import {
  answerOf,
  doorConnectionsMax,
  doorIdleMillisMax,
  lineOf,
  refused,
  requestIn,
  requestLineBytesMax,
  type DoorRequest,
  type VerbOutcome,
} from './doorProtocol.js';
import type { RunningServer, Verb } from './verb.js';
import type { VerbCall } from './verbCall.js';

export type DoorNeeds = {
  readonly verbs: readonly Verb[];
  readonly server: RunningServer;
  readonly timers: Timers;
  /** A verb threw: a bug, or a broken machine. */
  readonly failed: (verb: string, error: unknown) => void;
};

/** The operator's door: carries verbs out, one for each connection. */
export interface Door {
  accept(this: void, socket: Socket): void;
  /** Ends the verbs under way, as far as they let themselves be ended, and waits for them. Reads are still answered. */
  quiesce(this: void): Promise<void>;
  /** Destroys the connections that are left. */
  close(this: void): void;
}

export const door = (needs: DoorNeeds): Door => {
  const open = new Set<Socket>();
  const working = new Set<Promise<unknown>>();
  const stopping = new AbortController();
  const carryOut = verbRunner(needs);

  const work = (request: DoorRequest, socket: Socket): Promise<VerbOutcome> => {
    const gone = new AbortController();
    socket.on('close', () => {
      gone.abort();
    });
    const working_ = carryOut(request, {
      progress: (progress) => socket.write(lineOf({ progress })),
      signal: AbortSignal.any([gone.signal, stopping.signal]),
    });
    working.add(working_);
    return working_.finally(() => working.delete(working_));
  };

  return {
    accept: (socket) => {
      socket.on('error', () => undefined).on('close', () => open.delete(socket));
      if (open.size >= doorConnectionsMax) {
        socket.end(lineOf(answerOf(refused('TOO_MANY_CONNECTIONS'))), () => socket.destroy());
        return;
      }
      open.add(socket);
      visit(socket, needs.timers, (request) => work(request, socket));
    },
    quiesce: async () => {
      stopping.abort();
      await Promise.allSettled(working);
    },
    close: () => {
      for (const socket of open) socket.destroy();
    },
  };
};

/** One connection: takes its request, and answers it. Bytes behind the first line are dropped. */
const visit = (socket: Socket, timers: Timers, work: (request: DoorRequest) => Promise<VerbOutcome>): void => {
  const read = lineReader(requestLineBytesMax);
  let isAsked = false;
  let endDeadline = timers.later(doorIdleMillisMax, () => {
    answer(refused('IDLE_TOO_LONG'));
  });
  const answer = (outcome: VerbOutcome): void => {
    isAsked = true;
    endDeadline();
    endDeadline = timers.later(doorIdleMillisMax, () => socket.destroy());
    socket.end(lineOf(answerOf(outcome)));
  };
  const take = (line: string): void => {
    isAsked = true;
    endDeadline();
    const request = requestIn(line);
    if (request === undefined) answer(refused('MALFORMED_LINE'));
    else void work(request).then(answer);
  };
  socket.on('data', (chunk: Buffer) => {
    if (isAsked) return;
    const lines = read(chunk);
    if (lines === 'too long') answer(refused('LINE_TOO_LONG'));
    else if (lines[0] !== undefined) take(lines[0]);
  });
  socket.on('end', () => {
    if (!isAsked) answer(refused('MALFORMED_LINE'));
  });
  socket.on('close', () => {
    endDeadline();
  });
};

type CarryOut = (request: DoorRequest, call: VerbCall) => Promise<VerbOutcome>;

/** Never rejects. */
const verbRunner = ({ verbs, server, failed }: DoorNeeds): CarryOut => {
  const byName = new Map(verbs.map((verb) => [verb.name, verb]));
  const queues = serialQueues();
  return async ({ verb: name, arguments: given }, call) => {
    const verb = byName.get(name);
    if (verb === undefined) return refused('UNKNOWN_VERB');
    const carriedOut = async (): Promise<VerbOutcome> => {
      const isWrite = verb.access === 'write' && verb.isForRunning;
      if (isWrite && server.phase() !== 'running') return refused('NOT_READY', `the server is ${server.phase()}`);
      return verb.running(server, given, call);
    };
    try {
      return await (verb.access === 'write' ? queues.run('writes', carriedOut) : carriedOut());
    } catch (error) {
      failed(name, error);
      return refused('FAILED');
    }
  };
};
