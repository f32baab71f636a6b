import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { inspect } from 'node:util';
import { memoryBlobs } from '../../../src/adapters/blobs/memory.js';
import { localPresence } from '../../../src/adapters/presence/local.js';
import { localPubSub } from '../../../src/adapters/pubsub/local.js';
import { systemTimers } from '../../../src/adapters/system/timers.js';
import { memoryVault } from '../../../src/adapters/vault/memory.js';
import { accountStream } from '../../../src/domain/accounts/events.js';
import { newToken } from '../../../src/gateway/packages/auth/tokens.js';
import type { EventCodec } from '../../../src/kernel/codec.js';
import type { Event } from '../../../src/kernel/event.js';
import type { SessionId, UserId } from '../../../src/kernel/ids.js';
import type { Reads } from '../../../src/projections/reading/queries.js';
import type { Blobs } from '../../../src/kernel/ports/blobs.js';
import type { DocumentStore } from '../../../src/kernel/ports/documentStore.js';
import type { EventLog } from '../../../src/kernel/ports/eventLog.js';
import type { Presence } from '../../../src/kernel/ports/presence.js';
import { projections } from '../../../src/projections/registry.js';
import { startProjections } from '../../../src/projections/runner/runner.js';
import { settled as allHaveGoneOn } from '../nodeTimers.js';
import type { PlainSealer } from '../plainSealer.js';
import { engines, type World } from './cast.js';
import { gate, openAll } from './gate.js';
import { kernelInMemory, type Kernel, type TestClock } from './kernel.js';
import { nodeIn, type Node } from './node.js';
import { houseSearch, type HouseSearch } from './search.js';
import type { NodeChanges, Shared } from './shared.js';

/** A deployment on engines in memory, with the people of `cast.ts`. It has as many nodes as a test asks for. */
export interface House {
  /** Time as all nodes measure it, and by how much their wall clocks are ahead of it. It passes when a test says so. */
  readonly clock: TestClock;
  readonly log: EventLog;
  readonly sealer: PlainSealer;
  readonly codec: EventCodec;
  readonly store: DocumentStore;
  readonly reads: Reads;
  readonly presence: Presence;
  readonly blobs: Blobs;
  readonly search: HouseSearch;
  /** Stores events as they are, whatever the rules say. Resolves when everybody has folded and heard them. */
  happened(this: void, stream: string, ...events: readonly Event[]): Promise<void>;
  /** The same, but nobody folds or hears of them until a request or a test waits for it. */
  unnoticed(this: void, stream: string, ...events: readonly Event[]): Promise<void>;
  /** The same, but only the nodes fold and hear of them until then. The read models do not. */
  unread(this: void, stream: string, ...events: readonly Event[]): Promise<void>;
  /** Nobody folds or hears of anything new until then. */
  hold(this: void): void;
  /** Resolves when everybody has folded and heard all that is in the log, the read models before the nodes. */
  settled(this: void): Promise<void>;
  /** A process of its own on the log and the read models. Its memory begins empty, and it ends with the house. */
  node(this: void, changes?: NodeChanges): Promise<Node>;
  /** Fails when a node or a read model met with trouble that no test has taken. */
  close(this: void): Promise<void>;
}

export const house = async (world: World = engines): Promise<House> => {
  const troubles: unknown[] = [];
  const memory = await enginesIn(await kernelInMemory(), (trouble) => troubles.push(trouble));
  // The container gives all nodes the timers of the system.
  const monotonic = mock.method(systemTimers, 'now', () => memory.clock.at);
  const nodes = new Set<Node>();
  const settled = together(() => allSettled(memory, nodes));
  await world(memory.append);
  await settled();
  return {
    ...memory,
    ...happeningIn(memory, settled),
    settled,
    node: nodesIn({ ...memory, tokenOf: sessionsOf(memory.append), settled }, nodes, troubles),
    close: async () => {
      openAll(memory.gates);
      for (const node of nodes) await node.close();
      await memory.search.close();
      await memory.readModels.close();
      await memory.log.close();
      monotonic.mock.restore();
      assert.deepEqual(troubles, []);
    },
  };
};

type Memory = Omit<Shared, 'tokenOf' | 'settled'>;

/** The read models come first, so what the nodes send is as of the end of the log. */
const allSettled = async ({ log, gates, readModels }: Memory, nodes: ReadonlySet<Node>): Promise<void> => {
  const end = await log.end();
  gates.readModels.open();
  await readModels.reached(end);
  gates.nodes.open();
  await Promise.all([...nodes].map((node) => node.settled(end)));
};

const happeningIn = (
  { append, gates }: Memory,
  settled: () => Promise<void>,
): Pick<House, 'happened' | 'unnoticed' | 'unread' | 'hold'> => {
  const hold = (): void => {
    gates.nodes.shut();
    gates.readModels.shut();
  };
  return {
    hold,
    happened: async (stream, ...events) => {
      await append(stream, ...events);
      await settled();
    },
    unnoticed: async (stream, ...events) => {
      hold();
      await append(stream, ...events);
    },
    unread: async (stream, ...events) => {
      gates.readModels.shut();
      await append(stream, ...events);
      await allHaveGoneOn();
    },
  };
};

const nodesIn = (shared: Shared, nodes: Set<Node>, troubles: unknown[]): House['node'] => {
  let number = 0;
  return async (changes = {}) => {
    number += 1;
    const made = await nodeIn(shared, { ...changes, number });
    const node: Node = {
      ...made,
      close: async () => {
        nodes.delete(node);
        await made.close();
        troubles.push(...made.troubles);
      },
    };
    nodes.add(node);
    return node;
  };
};

const enginesIn = async (kernel: Kernel, onTrouble: (trouble: unknown) => void): Promise<Memory> => {
  const { log, codec, store, now } = kernel;
  const gates = { nodes: gate(), readModels: gate() };
  const readModels = await startProjections({
    log: gates.readModels.of(log),
    codec,
    store,
    projections,
    clock: { now },
    onAlarm: (alarm) => {
      onTrouble(inspect(alarm));
    },
    onTrouble,
  });
  const pubSub = localPubSub({ onListenerError: onTrouble });
  const presence = localPresence({ timers: systemTimers, clock: { now }, onError: onTrouble });
  const search = houseSearch(kernel, onTrouble);
  return { ...kernel, vault: memoryVault(), blobs: memoryBlobs(), presence, pubSub, readModels, search, gates };
};

/** Accounts and sessions as sign-ups and sign-ins leave them. */
const sessionsOf = (append: Kernel['append']): Shared['tokenOf'] => {
  const tokens = new Map<SessionId, Promise<string>>();
  const accounts = new Map<UserId, Promise<void>>();
  const registered = (user: UserId): Promise<void> => {
    const known = accounts.get(user) ?? append(accountStream(user), accountOf(user));
    accounts.set(user, known);
    return known;
  };
  const opened = async (user: UserId, session: SessionId): Promise<string> => {
    await registered(user);
    const { text, hash } = newToken(user, session, { bytes: (length) => new Uint8Array(length) });
    await append(accountStream(user), {
      type: 'SessionOpened',
      data: { user, session, tokenHash: hash, clientId: 0, deviceType: '', deviceVersion: '', appVersion: '' },
    });
    return text;
  };
  return (user, session) => {
    const token = tokens.get(session) ?? opened(user, session);
    tokens.set(session, token);
    return token;
  };
};

const accountOf = (user: UserId): Event => ({ type: 'AccountRegistered', data: { user, hasPassword: false } });

/** The work of all who ask while it goes on is done once for them together, after it. */
const together = (work: () => Promise<void>): (() => Promise<void>) => {
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  return () =>
    (next ??= running.then(() => {
      next = undefined;
      return (running = work());
    }));
};
