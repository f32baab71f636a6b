import type { Report } from '../gateway/operations/health.js';
import type { BotsAdmin } from './bots.js';
import type { UsersAdmin } from './users.js';
import type { FilesAdmin } from './files.js';
import type { BackupPlace, TakenBackup } from './backups.js';
import { checkedArguments, type ArgumentSpecs, type ArgumentsOf } from './arguments.js';
import { refused, type VerbOutcome } from './doorProtocol.js';
import type { VerbCall } from './verbCall.js';
import type { BuildWishes, Built, ProjectionsAdmin, ReadDocuments, ReadWish } from './projections.js';

/** Whether a server has begun, can be used, or is on its way out. */
export type ServerPhase = 'starting' | 'running' | 'stopping';

/** All that can be told of a running server. */
export type ServerStatus = {
  readonly phase: ServerPhase;
  readonly version: string;
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly ready: boolean;
  /** Why not. */
  readonly reason?: string;
  /** Of each part. Absent before the parts are open, and while they close. */
  readonly report?: Report;
  readonly connections?: { readonly open: number; readonly signedOut: number; readonly users: number };
};

/** The part of a server that a verb may ask while the server carries it out. */
export interface RunningServer {
  phase(this: void): ServerPhase;
  status(this: void): Promise<ServerStatus>;
  /** The Prometheus text format. */
  metrics(this: void): Promise<string>;
  /** Copies log and vault into an empty folder, absolute, as of one moment. Throws `BackupRefused`. */
  takeBackup(this: void, folder: string, call: VerbCall): Promise<TakenBackup>;
  /** To be asked of a running server only. */
  readonly projections: ProjectionsAdmin;
  /** The same. Throws `GenerationRefused`. */
  readOwn(this: void, wish: ReadWish, call: VerbCall): Promise<ReadDocuments>;
  /** The same. */
  readonly bots: BotsAdmin;
  /** The same. */
  readonly users: UsersAdmin;
  /** The same. */
  readonly files: FilesAdmin;
}

/** The works of a verb where no server runs, each of which takes the lock of the data folder for itself. */
export interface StoppedServer {
  /** Gives the new name of the deployment. */
  giveUpKeys(this: void, next: 'new' | 'keep'): Promise<string>;
  copyLog(this: void, places: LogCopyPlaces, call: VerbCall): Promise<string>;
  /** As a running server does it. */
  takeBackup(this: void, folder: string, call: VerbCall): Promise<TakenBackup>;
  restoreBackup(this: void, restore: BackupWish, call: VerbCall): Promise<string>;
  /** Does not take the lock of the data folder: a server may run beside it. */
  build(this: void, wishes: BuildWishes, call: VerbCall): Promise<Built>;
  /** Throws `GenerationRefused`, and `FolderInUse` where somebody else holds the data folder. */
  readOwn(this: void, wish: ReadWish, call: VerbCall): Promise<ReadDocuments>;
  readonly projections: ProjectionsAdmin;
}

/** The work that a command does by itself, whether a server runs or not. Both give what is to be printed. */
export interface CommandSide {
  /** Reads what was `taken`, `TakenBackup` as JSON, and makes a backup of it. */
  sealBackup(
    this: void,
    seal: BackupWish & { readonly taken: string; readonly withKey: boolean },
    call: VerbCall,
  ): Promise<string>;
  verifyBackup(this: void, verify: BackupWish, call: VerbCall): Promise<string>;
}

export type BackupWish = BackupPlace & { readonly json: boolean };

export type LogCopyPlaces = { readonly from: string; readonly to: string };

/** `taken` is the text of the outcome before. */
export type FinishCall = VerbCall & { readonly taken: string };

type Work<Side, Specs extends ArgumentSpecs, Call = VerbCall> = (
  side: Side,
  values: ArgumentsOf<Specs>,
  call: Call,
) => Promise<VerbOutcome>;

/** A verb of `osmium` that goes through the operator's door. Declared once, with all that anybody needs to know of it. */
export type VerbSpec<Specs extends ArgumentSpecs> = {
  /** As it is typed: one word, or two. */
  readonly name: string;
  /** Writes are carried out one after the other, and only by a server that is neither starting nor stopping. */
  readonly access: 'read' | 'write';
  readonly says: string;
  readonly arguments: Specs;
  /** Where the data folder is named: by an option, by the server's own environment, or by arguments of the verb. */
  readonly folders: 'option' | 'environment' | ((values: ArgumentsOf<Specs>) => readonly string[]);
  /** Within the server, or a sentence that says why not. */
  readonly running: Work<RunningServer, Specs> | string;
  /** Where no server runs, in the process of the command; or a sentence that says why not. */
  readonly stopped: Work<StoppedServer, Specs> | string;
  /** Whether no server is asked. */
  readonly isAlone?: (values: ArgumentsOf<Specs>) => boolean;
  /** In the process of the command, once the rest is done. Its outcome is the verb's. */
  readonly finished?: Work<CommandSide, Specs, FinishCall>;
};

type Given = Readonly<Record<string, unknown>>;

/** The same for everybody who does not know its arguments: they are checked here. */
export type Verb = {
  readonly name: string;
  readonly access: 'read' | 'write';
  readonly says: string;
  readonly arguments: ArgumentSpecs;
  readonly folders: 'option' | 'environment' | ((given: Given) => readonly string[]);
  /** Whether it can be carried out while a server runs. */
  readonly isForRunning: boolean;
  readonly running: (server: RunningServer, given: Given, call: VerbCall) => Promise<VerbOutcome>;
  readonly stopped: (stopped: StoppedServer, given: Given, call: VerbCall) => Promise<VerbOutcome>;
  readonly isAlone: (given: Given) => boolean;
  readonly finished: ((side: CommandSide, given: Given, call: FinishCall) => Promise<VerbOutcome>) | undefined;
};

export const declareVerb = <const Specs extends ArgumentSpecs>(spec: VerbSpec<Specs>): Verb => {
  const { folders, running, stopped, finished, isAlone } = spec;
  const worked =
    <Side, Call extends VerbCall>(
      work: Work<Side, Specs, Call> | string,
      unavailable: 'NOT_WHILE_RUNNING' | 'ONLY_WHILE_RUNNING',
    ) =>
    async (side: Side, given: Given, call: Call): Promise<VerbOutcome> => {
      const checked = checkedArguments(spec.arguments, given);
      if ('objection' in checked) return refused('BAD_ARGUMENTS', checked.objection);
      return typeof work === 'string' ? refused(unavailable, work) : work(side, checked.values, call);
    };
  return {
    ...spec,
    folders: typeof folders === 'string' ? folders : (given) => withValues(spec, given, folders) ?? [],
    isAlone: (given) => isAlone !== undefined && (withValues(spec, given, isAlone) ?? false),
    finished: finished && worked(finished, 'NOT_WHILE_RUNNING'),
    isForRunning: typeof running !== 'string',
    running: worked(running, 'NOT_WHILE_RUNNING'),
    stopped: worked(stopped, 'ONLY_WHILE_RUNNING'),
  };
};

/** `undefined` for arguments that are not in order, which the side that carries the verb out says. */
const withValues = <Specs extends ArgumentSpecs, T>(
  spec: VerbSpec<Specs>,
  given: Given,
  use: (values: ArgumentsOf<Specs>) => T,
): T | undefined => {
  const checked = checkedArguments(spec.arguments, given);
  return 'objection' in checked ? undefined : use(checked.values);
};
