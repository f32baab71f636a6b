import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { memoryEventLog } from '../../../../src/adapters/eventLog/memory.js';
import { systemIds } from '../../../../src/adapters/system/ids.js';
import { eventKinds } from '../../../../src/domain/registry.js';
import { historyParts } from '../../../../src/gateway/registry.js';
import { chatRpcs } from '../../../../src/gateway/packages/chats/rpcs.js';
import { messageRpcs } from '../../../../src/gateway/packages/messages/rpcs.js';
import { messageUpdates } from '../../../../src/gateway/packages/messages/updates.js';
import { userRpcs } from '../../../../src/gateway/packages/users/rpcs.js';
import { reactionRpcs } from '../../../../src/gateway/packages/reactions/rpcs.js';
import { reactionUpdates } from '../../../../src/gateway/packages/reactions/updates.js';
import type { UnfoldedAppends } from '../../../../src/gateway/access/unfoldedAppends.js';
import { uniqueNames } from '../../../../src/gateway/access/uniqueNames.js';
import { readUpdates } from '../../../../src/gateway/packages/reads/updates.js';
import type { StatusOf } from '../../../../src/gateway/rendering/user.js';
import { freeMeter } from '../../../../src/gateway/contract/meter.js';
import type { Call, Caller } from '../../../../src/gateway/contract/call.js';
import type { Delivery } from '../../../../src/gateway/contract/updates.js';
import type { Handlers } from '../../../../src/gateway/contract/handlers.js';
import type { Statuses } from '../../../../src/gateway/presence/statuses.js';
import { liveUpdateRenderer } from '../../../../src/gateway/updates/updateRenderer.js';
import type { TypingChange } from '../../../../src/gateway/presence/typing.js';
import { rpcTable, type Rpcs } from '../../../../src/gen/rpcs.js';
import { UserStatusStatus } from '../../../../src/gen/types.js';
import { eventCodec, readEvents, type EventCodec } from '../../../../src/kernel/codec.js';
import {
  isRejection,
  type Command,
  type Decider,
  type Rejection,
  type Decision,
} from '../../../../src/kernel/decider.js';
import { beforeAll, type Event } from '../../../../src/kernel/event.js';
import { executor, type Execute } from '../../../../src/kernel/execute.js';
import { foldedStreams } from '../../../../src/kernel/foldedStreams.js';
import { snowflakes, type MessageId, type Millis, type SessionId, type UserId } from '../../../../src/kernel/ids.js';
import type { DocumentStore } from '../../../../src/kernel/ports/documentStore.js';
import type { EventLog } from '../../../../src/kernel/ports/eventLog.js';
import type { Sealer } from '../../../../src/kernel/ports/sealer.js';
import { communityDocuments } from '../../../../src/projections/communities/fold.js';
import { conversationDocuments } from '../../../../src/projections/conversations/fold.js';
import { membershipsDocuments } from '../../../../src/projections/members/fold.js';
import { projections } from '../../../../src/projections/registry.js';
import { startProjections, type Projections } from '../../../../src/projections/runner/runner.js';
import { unreadReads } from '../../../../src/projections/unread/unreadReads.js';
import { userDocuments } from '../../../../src/projections/users/fold.js';
import { decodeBounded, encode, type Codec } from '../../../../src/wire/codec.js';
import { openStore } from '../../../projections/setting.js';
import { plainSealer, type PlainSealer } from '../../../support/plainSealer.js';
import { cleo, populate } from './people.js';

type Asked =
  | 'messagesSendMessage'
  | 'messagesGetHistory'
  | 'messagesEditMessage'
  | 'messagesDeleteMessage'
  | 'reactionsAddReaction'
  | 'reactionsRemoveReaction'
  | 'chatsGetChats'
  | 'chatsGetChat'
  | 'chatsMarkChatRead'
  | 'chatsSetTyping'
  | 'usersLookupUsername'
  | 'usersGetProfile';
type Request<Name extends Asked> = Rpcs[Name]['requestInit'];
type Answer<Name extends Asked> = Rpcs[Name]['result'] | Rejection;

/** One process on the stage's log and read models. Its memory begins empty. */
export interface Node {
  /** One request of a session that came to this node before, or comes now. */
  call(user: UserId, session?: number): Call;
  ask<Name extends Asked>(name: Name, request: Request<Name>, call: Call): Promise<Answer<Name>>;
  /** What `ask` answers when it is not refused. */
  get<Name extends Asked>(name: Name, request: Request<Name>, user: UserId): Promise<Rpcs[Name]['result']>;
  send(user: UserId, request: Request<'messagesSendMessage'>): Promise<MessageId>;
  connect(...users: readonly UserId[]): Promise<void>;
  disconnect(this: void, user: UserId): void;
  /** What was told since the last time, in order. */
  told(): Promise<readonly Delivery[]>;
  readonly typed: TypingChange[];
  readonly posted: (readonly [chat: string, user: UserId])[];
}

export interface Stage {
  node(changes?: Pick<Partial<Place>, 'log' | 'statusOf'>): Node;
  /** The time, and by how much the wall clock is ahead of it. */
  readonly clock: { at: number; ahead: number };
  readonly log: EventLog;
  readonly sealer: PlainSealer;
  readonly store: DocumentStore;
  happened(stream: string, ...events: readonly Event[]): Promise<void>;
  close(): Promise<void>;
}

let commands = 0;

/** A log that takes what it is given only when it is released. */
export const holding = (log: EventLog): EventLog & { readonly held: (() => void)[] } => {
  const held: (() => void)[] = [];
  return {
    ...log,
    held,
    append: async (...append) => {
      await new Promise<void>((release) => held.push(release));
      return log.append(...append);
    },
  };
};

/** The people and channels of `people.ts`, with the real read models, access and renderer, on engines in memory. */
export const stage = async (): Promise<Stage> => {
  const clock = { at: 1_767_225_600_000, ahead: 0 };
  const now = (): Millis => (clock.at + clock.ahead) as Millis;
  const { log, changes } = countingChanges(memoryEventLog({ now }));
  const sealer = plainSealer();
  const codec = eventCodec(eventKinds, sealer);
  const store = await openStore();
  const fail = (problem: unknown): void => assert.fail(inspect(problem));
  const followed = { log, codec, sealer, store, projections, clock: { now }, onAlarm: fail, onTrouble: fail };
  const following = await startProjections(followed);
  const place = { log, codec, sealer, store, following, now, monotonic: () => clock.at, changes };
  const streams = foldedStreams({ log, codec, sealer });
  const kernel = { log, codec, sealer, clock: { now }, ids: systemIds(snowflakes(0, now)), streams };
  const happened = happening(executor(kernel));
  await populate(happened);
  let nodes = 0;
  return {
    clock,
    happened,
    log,
    sealer,
    store,
    close: () => following.close(),
    node: (changes = {}) => {
      nodes += 1;
      return nodeOf({ ...place, ...changes, number: nodes });
    },
  };
};

/** Counts the appends from which rights follow. */
const countingChanges = (log: EventLog): { readonly log: EventLog; readonly changes: () => number } => {
  let count = 0;
  const append: EventLog['append'] = (stream, ...rest) => {
    if (/^(community|member)-/.test(stream)) count += 1;
    return log.append(stream, ...rest);
  };
  return { log: { ...log, append }, changes: () => count };
};

/** Appends events as they are, whatever the rules say. */
const happening =
  (execute: Execute): Stage['happened'] =>
  async (stream, ...events) => {
    const anything: Decider<Command<'Happen'>, undefined, Event> = {
      stream: () => stream,
      initial: undefined,
      evolve: {},
      // The types of these events are forgotten, and what is personal in them with the types.
      rules: { Happen: () => events as Decision<Event> },
    };
    commands += 1;
    await execute(
      anything,
      { type: 'Happen', data: undefined },
      { commandId: `it ${commands.toString()}`, correlationId: '' },
    );
  };

type Place = {
  readonly log: EventLog;
  readonly codec: EventCodec;
  readonly sealer: Sealer;
  readonly store: DocumentStore;
  readonly following: Projections;
  readonly number: number;
  readonly now: () => Millis;
  readonly monotonic: () => number;
  readonly changes: () => number;
  /** What handlers show, where they show it. By default everybody is online for those of users, and nobody for others. */
  readonly statusOf?: StatusOf;
};

const nodeOf = (place: Place): Node => {
  const { log, codec, sealer, now, following } = place;
  const kernel = { log, codec, sealer, clock: { now }, ids: systemIds(snowflakes(place.number, now)) };
  const reads = { store: place.store };
  const unfolded = unfoldedOf(place, () => tellAll());
  const { renderer, access } = rendererOf(place, unfolded);
  const streams = foldedStreams(kernel);
  const typed: TypingChange[] = [];
  const posted: (readonly [string, UserId])[] = [];
  const needs = {
    access,
    reads,
    streams,
    sealer,
    ids: kernel.ids,
    names: uniqueNames({ streams, sealer }),
    statusOf: place.statusOf ?? nobodyIsOnline,
    historyParts,
    typing: {
      set: (_: Pick<Call, 'caller'>, change: TypingChange) => Promise.resolve(void typed.push(change)),
      posted: (chat: string, user: UserId) => void posted.push([chat, user]),
    },
  };
  const handlers = handlersOf(needs, place.statusOf);
  let toldUpTo = beforeAll;
  const pending: Delivery[] = [];
  const tellNext = async (): Promise<void> => {
    const stored = await log.readAll({ from: toldUpTo, limit: 10_000 });
    toldUpTo = stored.at(-1)?.position ?? toldUpTo;
    for (const event of await readEvents(codec, sealer, stored)) pending.push(...(await renderer.render(event)));
  };
  // One after the other, so that each event is told once.
  let telling = Promise.resolve();
  const tellAll = (): Promise<void> => (telling = telling.then(tellNext));
  const end = async (): Promise<void> => following.reached(await log.end());
  const callers = callersOf();
  const execute = executor({ ...kernel, streams });
  const node: Node = {
    typed,
    posted,
    call: (user, session) =>
      callOf({ caller: callers(user, session), now: now(), monotonic: place.monotonic(), execute, end, tellAll }),
    ask: (name, request, call) => ask(handlers, name, request, call),
    get: async (name, request, user) => granted(await node.ask(name, request, node.call(user))),
    send: async (user, request) => {
      const { sentMessage } = await node.get('messagesSendMessage', request, user);
      return sentMessage.messageId ?? (0n as MessageId);
    },
    connect: async (...users) => {
      await tellAll();
      await Promise.all(users.map((user) => renderer.connect(user)));
      pending.length = 0;
    },
    disconnect: renderer.disconnect,
    told: async () => {
      await tellAll();
      return pending.splice(0);
    },
  };
  return node;
};

/** As if all that happened had been handed in here: a node looks at rights after it has folded that. */
const unfoldedOf = ({ changes }: Place, tellAll: () => Promise<void>): Pick<UnfoldedAppends, 'folded'> => {
  let folded = 0;
  return {
    folded: () => {
      if (folded === changes()) return undefined;
      folded = changes();
      return tellAll();
    },
  };
};

type HandlersNeeds = Parameters<typeof messageRpcs>[0] &
  Parameters<typeof chatRpcs>[0] &
  Parameters<typeof userRpcs>[0];

const handlersOf = (needs: HandlersNeeds, statusOf: StatusOf = everybodyIsOnline): Handlers<Asked> => ({
  ...messageRpcs(needs),
  ...reactionRpcs(needs),
  ...chatRpcs(needs),
  ...userRpcs({ ...needs, statusOf }),
});

const rendererOf = (
  { log, codec, sealer, store, following }: Place,
  unfolded: Pick<UnfoldedAppends, 'folded'>,
): ReturnType<typeof liveUpdateRenderer> =>
  liveUpdateRenderer({
    log,
    unfolded,
    codec,
    sealer,
    documents: store,
    readModels: following,
    types: {
      communities: communityDocuments,
      memberships: membershipsDocuments,
      users: userDocuments,
      conversations: conversationDocuments,
    },
    unread: unreadReads({ store }),
    peersOf: () => Promise.resolve([]),
    updates: {
      ...messageUpdates(onlyCleoIsOnline),
      ...reactionUpdates({ reads: { store }, readModels: following }),
      ...readUpdates,
    },
    prefetched: {},
  });

const nobodyIsOnline: StatusOf = (users) => Promise.resolve(users.map(() => undefined));
export const everybodyIsOnline: StatusOf = (users) =>
  Promise.resolve(users.map(() => ({ status: UserStatusStatus.ONLINE })));
const onlyCleoIsOnline: Statuses['of'] = (user) =>
  Promise.resolve(user === cleo ? { status: UserStatusStatus.ONLINE } : undefined);

/** A session's caller is one object for as long as it is connected. */
const callersOf = (): ((user: UserId, session?: number) => Caller) => {
  const callers = new Map<number, Caller>();
  return (user, session = Number(user)) => {
    const caller = callers.get(session) ?? { user, session: BigInt(session) as SessionId };
    callers.set(session, caller);
    return caller;
  };
};

type Asking = {
  readonly caller: Caller;
  readonly now: Millis;
  readonly monotonic: number;
  readonly execute: Execute;
  readonly end: () => Promise<void>;
  readonly tellAll: () => Promise<void>;
};

const callOf = ({ caller, now, monotonic, execute, end, tellAll }: Asking): Call => ({
  traceId: 'trace',
  meter: freeMeter,
  address: '127.0.0.1',
  device: undefined,
  caller,
  origin: { session: { caller } },
  now,
  monotonic,
  initialize: () => Promise.resolve(),
  authorize: () => Promise.resolve(),
  closeSoon: () => undefined,
  upToDate: end,
  upToDateWithLog: end,
  accessUpToDate: tellAll,
  run: (decider, command, { commandId = `command ${(commands += 1).toString()}` } = {}) =>
    execute(decider, command, {
      commandId,
      correlationId: 'trace',
      actor: caller.user.toString(),
      session: caller.session.toString(),
    }),
});

const ask = <Name extends Asked>(
  handlers: Handlers<Asked>,
  name: Name,
  request: Request<Name>,
  call: Call,
): Promise<Answer<Name>> => {
  // Through the bytes, so that what is not set looks as it does on the wire. The table pairs names with their codecs.
  const codec = rpcTable[name].request as unknown as Codec<unknown, Request<Name>>;
  const decoded = decodeBounded(codec, encode(codec, request));
  if (!decoded.ok) throw new Error(decoded.reason);
  const handler = handlers[name] as unknown as (request: unknown, call: Call) => Promise<Answer<Name>>;
  return handler(decoded.value, call);
};

const granted = <T>(answer: T | Rejection): T => {
  if (isRejection(answer)) throw new Error(`${answer.rejected} ${answer.detail ?? ''}`);
  return answer;
};
