import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Answer } from '../../../src/client/client.js';
import type { Authorization, SignUpInit } from '../../../src/gen/auth.js';
import type { ChatRefInit } from '../../../src/gen/refs.js';
import type { RpcPath, RpcPaths, Rpcs } from '../../../src/gen/rpcs.js';
import type { Update } from '../../../src/gen/updates.js';
import type { MessageId } from '../../../src/kernel/ids.js';
import type { Cleanup } from '../../support/serverProcess.js';

export type Send = { readonly chatRef: ChatRefInit; readonly message: string };
export type Heard = { readonly id: MessageId; readonly socket: number };
export type Acknowledged = { readonly message: string; readonly id: MessageId };

export type Command =
  | { readonly kind: 'open'; readonly url: string }
  | { readonly kind: 'signUp'; readonly request: SignUpInit }
  | { readonly kind: 'call'; readonly path: string; readonly request: object }
  | { readonly kind: 'burst'; readonly sends: readonly Send[]; readonly inFlight: number };

export type Report =
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly code: number | undefined; readonly text: string }
  | { readonly kind: 'connected'; readonly connections: number }
  | { readonly kind: 'update'; readonly update: Update }
  | ({ readonly kind: 'heard' } & Heard)
  | ({ readonly kind: 'acknowledged' } & Acknowledged);

type Request<Path extends RpcPath> = Rpcs[RpcPaths[Path]]['requestInit'];

/** The typed client in a process of its own. */
export interface Remote {
  signUp(request: SignUpInit): Promise<Authorization>;
  call<Path extends RpcPath>(path: Path, request: Request<Path>): Promise<Answer<Path>>;
  /** So many are on their way at any time. Resolves when all are acknowledged. */
  burst(sends: readonly Send[], inFlight: number): Promise<void>;
  /** Everything so far, in order. */
  readonly acknowledged: readonly Acknowledged[];
  readonly heard: readonly Heard[];
  readonly updates: readonly Update[];
  connections(): number;
  /** Resolves when it is so; looked at whenever something is heard of the client. */
  until(isSo: () => boolean): Promise<void>;
  /** Kills the process. */
  end(this: void): Promise<void>;
}

/** The request was refused, or failed in another way. */
export class Failed extends Error {
  readonly code: number | undefined;
  constructor(text: string, code: number | undefined) {
    super(text);
    this.name = 'Failed';
    this.code = code;
  }
}

type Waiting = { readonly resolve: (answer: unknown) => void; readonly reject: (error: Error) => void };

/** Connected to this server. Ends with the test. */
export const remote = async (t: Cleanup, url: string): Promise<Remote> => {
  const child = fork(new URL('./remoteMain.js', import.meta.url), { serialization: 'advanced' });
  const waiting = new Map<number, Waiting>();
  const [acknowledged, heard, updates]: [Acknowledged[], Heard[], Update[]] = [[], [], []];
  let connections = 0;
  let lastId = 0;
  let looking: (() => void)[] = [];

  const hear = (report: Report): void => {
    if (report.kind === 'answer') waiting.get(report.id)?.resolve(report.answer);
    else if (report.kind === 'failure') waiting.get(report.id)?.reject(new Failed(report.text, report.code));
    else if (report.kind === 'connected') ({ connections } = report);
    else if (report.kind === 'update') updates.push(report.update);
    else if (report.kind === 'heard') heard.push(report);
    else acknowledged.push(report);
    for (const look of looking.splice(0)) look();
  };
  child.on('message', (message) => {
    hear(message as Report); // Only `remoteMain` sends here.
  });
  child.on('exit', () => {
    for (const { reject } of waiting.values()) reject(new Failed('the client has ended', undefined));
  });
  const end = async (): Promise<void> => {
    const hasEnded = child.exitCode !== null || child.signalCode !== null;
    const ended = hasEnded ? undefined : once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  t.after(end);
  const tell = (command: Command): Promise<unknown> =>
    new Promise((resolve, reject) => {
      lastId += 1;
      waiting.set(lastId, { resolve, reject });
      child.send({ id: lastId, command });
    });

  await tell({ kind: 'open', url });
  return {
    end,
    acknowledged,
    heard,
    updates,
    connections: () => connections,
    // `remoteMain` hands on what the client answers, whose types these are.
    signUp: async (request) => (await tell({ kind: 'signUp', request })) as Authorization,
    call: async (path, request) => (await tell({ kind: 'call', path, request })) as Answer<typeof path>,
    burst: async (sends, inFlight) => {
      await tell({ kind: 'burst', sends, inFlight });
    },
    until: async (isSo) => {
      while (!isSo()) {
        await new Promise<void>((resolve) => {
          looking = [...looking, resolve];
        });
      }
    },
  };
};
