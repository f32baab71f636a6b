import 'reflect-metadata';
import { pino } from 'pino';
import { container as root } from 'tsyringe';
import { noLinkPreviews } from '../../../src/adapters/linkPreviews/off.js';
import { configFrom } from '../../../src/config.js';
import { registerGateway } from '../../../src/container/gateway.js';
import { lessConfined } from '../../../src/container/pictures.js';
import { registerKernel, registerSystem } from '../../../src/container/system.js';
import { judgeOf } from '../../../src/gateway/updates/judge.js';
import { noDisk } from '../../../src/gateway/operations/freeDisk.js';
import { of, type Get } from '../../../src/container/tokens.js';
import { metrics } from '../../../src/gateway/operations/metrics.js';
import type { Caller } from '../../../src/gateway/contract/call.js';
import type { Delivery } from '../../../src/gateway/contract/updates.js';
import type { UpdateRenderer } from '../../../src/gateway/contract/updateView.js';
import type { ViewerPermissions } from '../../../src/gateway/contract/viewerPermissions.js';
import type { RpcName, Rpcs } from '../../../src/gen/rpcs.js';
import type { Update } from '../../../src/gen/updates.js';
import { isRejection, type Rejection } from '../../../src/kernel/decider.js';
import type { Position } from '../../../src/kernel/event.js';
import type { MessageId, SessionId, UserId } from '../../../src/kernel/ids.js';
import { defined } from '../../../src/kernel/defined.js';
import type { Reason } from '../../../src/kernel/reasons.js';
import type { Projections } from '../../../src/projections/runner/runner.js';
import { settled as allHaveGoneOn } from '../nodeTimers.js';
import { quickHasher } from '../quickHasher.js';
import { openingLater } from './gate.js';
import { seatAt, type Answer, type Seat } from './seat.js';
import type { NodeChanges, Shared } from './shared.js';

/** A session of a user, or nobody's connection. A user alone stands for their first session. */
export type Who = UserId | { readonly user: UserId; readonly session: bigint } | undefined;

type Request<Name extends RpcName> = Rpcs[Name]['requestInit'];
type Response<Name extends RpcName> = Rpcs[Name]['response'];

/** One process: a gateway as the container makes it, and clients in this process. */
export interface Node {
  readonly get: Get;
  /** What users may see and do, as of the last event that this node has handled. */
  readonly rules: ViewerPermissions;
  /**
   * Asks on the connection of a user who is connected, otherwise on one that is opened when it is first needed and hears
   * no updates. Resolves with the answer, once everybody in the house has folded and heard what it led to.
   */
  ask<Name extends RpcName>(this: void, who: Who, name: Name, request: Request<Name>): Promise<Answer<Name>>;
  /** The same, but resolves with the answer alone: maybe nobody has folded yet what it led to. */
  askOnly<Name extends RpcName>(this: void, who: Who, name: Name, request: Request<Name>): Promise<Answer<Name>>;
  /** Throws when it is refused. */
  must<Name extends RpcName>(this: void, who: Who, name: Name, request: Request<Name>): Promise<Response<Name>>;
  /** The reason for which it is refused. Throws when it is not. */
  refused<Name extends RpcName>(this: void, who: Who, name: Name, request: Request<Name>): Promise<Reason>;
  send(this: void, who: Who, request: Request<'messagesSendMessage'>): Promise<MessageId>;
  /** From here on these users hear updates. */
  connect(this: void, ...users: readonly UserId[]): Promise<void>;
  disconnect(this: void, user: UserId): Promise<void>;
  /** The updates that came to a connected user since the last time this was asked. */
  heard(this: void, user: UserId): readonly Update[];
  /** The same as it was sent to all, in as many parts as are encoded. */
  told(this: void): readonly Delivery[];
  /** Happens before the next request that waits for read models goes on. Given the names of those read models. */
  atNextWait(this: void, work: (readModels: readonly string[]) => unknown): void;
  /** What the node logged as a warning or an error. A test that expects some takes it. */
  readonly troubles: Readonly<Record<string, unknown>>[];
  /** Resolves when the node has handled the log up to `end`, and its clients have heard of that. */
  settled(this: void, end: Position): Promise<void>;
  close(this: void): Promise<void>;
}

// One for all, because each watches the whole process.
const counted = metrics();
const config = configFrom({ OSMIUM_RATE_LIMITS: 'off' });

export const nodeIn = async (shared: Shared, changes: NodeChanges & { readonly number: number }): Promise<Node> => {
  const troubles: Readonly<Record<string, unknown>>[] = [];
  const told: Delivery[] = [];
  const waits: ((readModels: readonly string[]) => unknown)[] = [];
  const get = containerOf(shared, { ...changes, troubles, told, waits });
  const gateway = get(of.gateway);
  await gateway.start();
  const clients = clientsOf(shared, gateway.sockets);
  const node: Node = {
    get,
    troubles,
    rules: get(of.liveRenderer).access.now,
    askOnly: async (who, name, request) => (await clients.asking(who)).ask(name, request),
    ask: async (who, name, request) => {
      const answer = await openingLater(shared.gates.nodes, node.askOnly(who, name, request));
      await shared.settled();
      return answer;
    },
    must: async (who, name, request) => granted(name, await node.ask(who, name, request)),
    refused: async (who, name, request) => {
      const answer: unknown = await node.ask(who, name, request);
      if (!isRejection(answer)) throw new Error(`${name} was not refused`);
      return answer.rejected;
    },
    send: async (who, request) => {
      const { sentMessage } = await node.must(who, 'messagesSendMessage', request);
      return sentMessage.messageId;
    },
    connect: async (...users) => {
      for (const user of users) await clients.connect(user);
      await allHaveGoneOn();
      await shared.settled();
      for (const user of users) node.heard(user);
      node.told();
    },
    disconnect: clients.disconnect,
    heard: clients.heard,
    told: () => told.splice(0),
    atNextWait: (work) => waits.push(work),
    settled: async (end) => {
      await gateway.fanOut.reached(end);
      await clients.settled();
    },
    close: async () => {
      await gateway.sockets.close();
      await gateway.close();
      await get(of.pictures).close();
      if (waits.length > 0) troubles.push({ msg: 'no request waited for what was to happen then' });
    },
  };
  return node;
};

type Own = NodeChanges & {
  readonly number: number;
  readonly troubles: Readonly<Record<string, unknown>>[];
  readonly told: Delivery[];
  readonly waits: ((readModels: readonly string[]) => unknown)[];
};

/** As in `src/container.ts`, with engines in memory in the place of those that are opened there. */
const containerOf = (shared: Shared, { number, troubles, told, waits, ...own }: Own): Get => {
  const { now, nextId, sealer, store, vault, pubSub } = shared;
  const container = root.createChildContainer();
  const get: Get = (wanted) => container.resolve(wanted);
  const write = (line: string): void => {
    const trouble = JSON.parse(line) as (typeof troubles)[number];
    // Of the machine and not of the test.
    if (trouble['msg'] !== lessConfined) troubles.push(trouble);
  };
  registerSystem(container, config, { hasher: quickHasher, logger: pino({ level: 'warn' }, { write }) });
  registerKernel(container);
  registerGateway(container, {
    linkPreviews: own.linkPreviews ?? noLinkPreviews,
    ...defined({ pictures: own.pictures, fileScanner: own.fileScanner }),
  });
  container.registerInstance(of.freeDisk, noDisk);
  container.registerInstance(of.fileDisk, noDisk);
  container.registerInstance(of.clock, { now, check: () => Promise.resolve() });
  container.registerInstance(of.metrics, counted);
  container.registerInstance(of.vault, vault);
  container.registerInstance(of.sealer, sealer);
  container.registerInstance(of.log, get(of.unfolded).noting(shared.gates.nodes.of(own.log ?? shared.log)));
  if (own.judges === true) {
    const { log, codec } = shared;
    container.registerInstance(of.judge, judgeOf({ log, codec, sealer }));
  }
  container.registerInstance(of.documents, store);
  container.registerInstance(of.pubSub, pubSub);
  container.registerInstance(of.blobs, own.blobs ?? shared.blobs);
  container.registerInstance(of.presence, own.presence ?? shared.presence);
  container.registerInstance(of.nodeNumber, {
    next: nextId,
    saw: () => undefined,
    held: () => number,
    close: () => Promise.resolve(),
  });
  container.registerInstance(of.projections, awaited(shared, waits));
  container.registerInstance(of.own, {
    begin: () => undefined,
    status: () => Promise.resolve([]),
    generations: () => Promise.resolve([]),
    adminOf: () => Promise.resolve(undefined),
    adminNamed: () => {
      throw new Error('nobody has projections of their own in the house');
    },
    read: () => Promise.reject(new Error('nobody has projections of their own in the house')),
    close: () => Promise.resolve(),
  });
  container.registerInstance(of.search, {
    ...shared.search,
    begin: () => undefined,
    status: () => Promise.resolve(undefined),
  });
  const live = get(of.liveRenderer);
  container.registerInstance(of.liveRenderer, { ...live, renderer: recording(live.renderer, told) });
  return get;
};

/** The read models, with what is to happen when a request waits for them. Those who render wait without names. */
const awaited = ({ readModels, gates }: Shared, waits: Own['waits']): Projections => {
  type Reached = Projections['reached'];
  const opening =
    (reached: Reached): Reached =>
    (position, names) => {
      const wait = reached(position, names);
      if (wait !== undefined) gates.readModels.open();
      return wait;
    };
  const working =
    (reached: Reached): Reached =>
    (position, names) => {
      const work = names === undefined || names.length === 0 ? undefined : waits.shift();
      return work === undefined
        ? reached(position, names)
        : Promise.resolve(work(names ?? [])).then(() => reached(position, names));
    };
  const { reached, folded } = readModels;
  return {
    ...readModels,
    reached: working(opening(reached)),
    folded: { ...folded, reached: working(opening(folded.reached)) },
  };
};

const recording = (renderer: UpdateRenderer, told: Delivery[]): UpdateRenderer => ({
  ...renderer,
  render: (event) => {
    const rendered = renderer.render(event);
    if (!(rendered instanceof Promise)) told.push(...rendered);
    else
      return rendered.then((deliveries) => {
        told.push(...deliveries);
        return deliveries;
      });
    return rendered;
  },
});

const granted = <T>(name: string, answer: T | Rejection): T => {
  if (isRejection(answer)) throw new Error(`${name} was refused: ${answer.rejected} ${answer.detail ?? ''}`);
  return answer;
};

type Clients = Pick<Node, 'disconnect' | 'heard'> & {
  asking(who: Who): Promise<Seat>;
  connect(user: UserId): Promise<void>;
  settled(): Promise<void>;
};

const clientsOf = ({ tokenOf }: Shared, sockets: Parameters<typeof seatAt>[0]): Clients => {
  const asking = new Map<SessionId | undefined, Promise<Seat>>();
  const hearing = new Map<UserId, Seat>();
  const signedIn = async ({ user, session }: Caller, device: { readonly noSubscribe: boolean }): Promise<Seat> => {
    const token = await tokenOf(user, session);
    const seat = seatAt(sockets);
    await seat.ask('coreInitialize', device);
    const authorized = await seat.ask('authAuthorize', { token });
    if (isRejection(authorized)) throw new Error(`${user.toString()} cannot sign in: ${authorized.rejected}`);
    return seat;
  };
  return {
    asking: (who) => {
      const present = typeof who === 'bigint' ? hearing.get(who) : undefined;
      if (present !== undefined) return Promise.resolve(present);
      const caller = callerOf(who);
      const newcomer = (): Promise<Seat> =>
        caller === undefined ? Promise.resolve(seatAt(sockets)) : signedIn(caller, { noSubscribe: true });
      const seat = asking.get(caller?.session) ?? newcomer();
      asking.set(caller?.session, seat);
      return seat;
    },
    connect: async (user) => {
      if (!hearing.has(user)) hearing.set(user, await signedIn(sessionOf(user), { noSubscribe: false }));
    },
    disconnect: async (user) => {
      hearing.get(user)?.close();
      hearing.delete(user);
      for (const [session, seat] of asking) {
        if (session === undefined || userOf(session) !== userOf(sessionOf(user).session)) continue;
        asking.delete(session);
        (await seat).close();
      }
      await allHaveGoneOn();
    },
    heard: (user) => hearing.get(user)?.heard() ?? [],
    settled: async () => {
      await Promise.all([...hearing.values()].map((seat) => seat.settled()));
    },
  };
};

const callerOf = (who: Who): Caller | undefined => {
  if (who === undefined) return undefined;
  return typeof who === 'bigint' ? sessionOf(who) : sessionOf(who.user, who.session);
};

const sessionBits = 16n;
const idMask = (1n << 63n) - 1n;

/** The session of the user that a test calls by this number. */
export const sessionOf = (user: UserId, session = 0n): Caller => ({
  user,
  session: (((user << sessionBits) & idMask) + session) as SessionId,
});
const userOf = (session: SessionId): bigint => session >> sessionBits;
