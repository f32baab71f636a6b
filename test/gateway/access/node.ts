import assert from 'node:assert/strict';
import type { CommunityEvent } from '../../../src/domain/communities/events.js';
import type { MemberEvent } from '../../../src/domain/members/events.js';
import type { MessageEvent } from '../../../src/domain/messages/events.js';
import type { ReadEvent } from '../../../src/domain/reads/events.js';
import { eventKinds } from '../../../src/domain/registry.js';
import type { UserEvent } from '../../../src/domain/users/events.js';
import { prefetchedMembers } from '../../../src/gateway/packages/communities/members/updates.js';
import { liveUpdateRenderer, type UpdateRendererNeeds } from '../../../src/gateway/updates/updateRenderer.js';
import type { ReadModels } from '../../../src/gateway/contract/readModels.js';
import type { Delivery } from '../../../src/gateway/contract/updates.js';
import type { Access, AccessChanges, ViewerPermissions } from '../../../src/gateway/contract/viewerPermissions.js';
import type { Renderer, UpdateRenderer, UpdateView } from '../../../src/gateway/contract/updateView.js';
import type { EventCodec } from '../../../src/kernel/codec.js';
import { collectionOf, type AnyDocumentType } from '../../../src/kernel/document.js';
import { beforeAll, type Position, type Recorded } from '../../../src/kernel/event.js';
import type { UserId } from '../../../src/kernel/ids.js';
import { serialQueues } from '../../../src/kernel/serialQueue.js';
import type { DocumentStore, Plain } from '../../../src/kernel/ports/documentStore.js';
import type { EventLog } from '../../../src/kernel/ports/eventLog.js';
import { KeysMissing, type Sealer } from '../../../src/kernel/ports/sealer.js';
import { conversationsOf } from '../../../src/projections/conversations/queries.js';
import { communityDocuments } from '../../../src/projections/communities/fold.js';
import { conversationDocuments } from '../../../src/projections/conversations/fold.js';
import { membershipsDocuments } from '../../../src/projections/members/fold.js';
import { projections, type ProjectionName } from '../../../src/projections/registry.js';
import { unreadReads } from '../../../src/projections/unread/unreadReads.js';
import { userDocuments } from '../../../src/projections/users/fold.js';
import type { Bare } from '../../support/bare.js';
import { kernelInMemory } from '../../support/house/kernel.js';
import { readsOf } from '../../support/reads.js';

export type AnyEvent =
  Bare<CommunityEvent> | Bare<MemberEvent> | Bare<MessageEvent> | Bare<ReadEvent> | Bare<UserEvent>;

/** One node: a log, its read models, which are brought up to date when somebody waits for them, and a renderer. */
export type Node = {
  readonly renderer: UpdateRenderer;
  readonly access: Access & AccessChanges;
  readonly rules: ViewerPermissions;
  readonly store: DocumentStore;
  /** What the renderer has read of the store: the keys of each read. */
  readonly reads: readonly (readonly string[])[];
  /** The read models of each wait. */
  readonly waits: readonly (readonly (ProjectionName | 'all')[])[];
  /** Into the log, and no further. */
  append(...events: readonly AnyEvent[]): Promise<void>;
  /** Offers the events that nobody was told of yet to the renderer, as the fan-out does. Answers how many it cared about. */
  tell(upTo?: number): Promise<number>;
  /** Both of them. */
  happens(...events: readonly AnyEvent[]): Promise<void>;
  /** Puts all that is in the log into the read models, further than the telling has come. */
  project(): Promise<void>;
  /** Reads of the store by the renderer fail with this, until it is undefined. */
  failReads(error: Error | undefined): void;
  /** Replaces what the node tells of events; it is told of all of them at first, and nothing is said. */
  renderWith(render: (event: Recorded, view: UpdateView) => readonly Delivery[] | Promise<readonly Delivery[]>): void;
};

/** `communityBytesMax`: how much the communities of connected users may take before they are let go. */
export const nodeOf = async (bounds: Pick<UpdateRendererNeeds, 'communityBytesMax'> = {}): Promise<Node> => {
  const { log, sealer, codec, store } = await kernelInMemory();
  const events: Recorded[] = [];
  const progress = { told: 0, passed: beforeAll, projected: 0 };
  let render: (event: Recorded, view: UpdateView) => readonly Delivery[] | Promise<readonly Delivery[]> = () => [];

  const project = projectorOf(store, events, progress);
  const momentOf = momentsOf();
  const append = async (event: AnyEvent): Promise<void> => {
    events.push(await appended({ log, codec, sealer, moment: momentOf(event) }, event, events.length));
  };

  const waits: (readonly (ProjectionName | 'all')[])[] = [];
  const reached: ReadModels['reached'] = (position, names) => {
    waits.push(names ?? ['all']);
    return project(position);
  };
  const { documents, reads, failReads } = watched(store);
  const place = { log, codec, sealer, store, documents };
  const passedUpTo = () => (progress.passed === beforeAll ? undefined : progress.passed);
  const rendering = { ...bounds, passedUpTo, readModels: { reached } };
  const { renderer, access } = rendererOver(place, rendering, (event, view) => render(event, view));
  const happened = async (more: readonly AnyEvent[]): Promise<void> => {
    for (const event of more) await append(event);
  };
  const tell = async (upTo = events.length): Promise<number> => {
    let cared = 0;
    const next = events[progress.told - 1]?.position ?? beforeAll;
    renderer.prefetch(await log.readAll({ from: next, limit: upTo - progress.told }));
    for (const event of events.slice(progress.told, upTo)) {
      progress.told += 1;
      if (renderer.isRelevant(event.metadata.about, event.type)) {
        cared += 1;
        await renderer.render(event);
      }
      progress.passed = event.position;
    }
    return cared;
  };
  return {
    renderer,
    access,
    rules: access.now,
    store,
    reads,
    failReads,
    waits,
    tell,
    append: (...more) => happened(more),
    happens: async (...more) => {
      await happened(more);
      await tell();
    },
    project: () => project(BigInt(Number.MAX_SAFE_INTEGER)),
    renderWith: (other) => {
      render = other;
    },
  };
};

type Progress = { projected: number };

/** One event at a time, because a second caller must not go on before the commit that the first one waits for. */
const projectorOf = (store: DocumentStore, events: readonly Recorded[], progress: Progress) => {
  const queue = serialQueues();
  return (upTo: Position): Promise<void> =>
    queue.run('project', async () => {
      for (let event = events[progress.projected]; event !== undefined; event = events[progress.projected]) {
        if (event.position > upTo) return;
        await commit(store, event);
        progress.projected += 1;
      }
    });
};

/** Moments as on one node: the ids of all messages that are sent later are above them. */
const momentsOf = () => {
  let highest = 0n;
  return (event: AnyEvent): bigint => {
    const moment = highest;
    if (event.type === 'MessageSent' && event.data.message > highest) highest = event.data.message;
    return moment;
  };
};

/** The store as the renderer reads it, the keys of each read, and a way to let reads fail. */
const watched = (store: DocumentStore) => {
  const reads: (readonly string[])[] = [];
  let failure: Error | undefined;
  const getMany: DocumentStore['getMany'] = (collection, keys) => {
    reads.push(keys);
    return failure === undefined ? store.getMany(collection, keys) : Promise.reject(failure);
  };
  const failReads = (error: Error | undefined): void => {
    failure = error;
  };
  return { documents: { getMany }, reads, failReads };
};

const types = projections.flatMap(({ documents }) => documents);

const commit = async (store: DocumentStore, event: Recorded): Promise<void> => {
  const { position } = event;
  for (const type of types) {
    for (const key of type.types.includes(event.type) ? type.keysOf(event) : []) {
      const document = type.fold((await store.get(collectionOf(type), key)).document, event, key);
      await store.commit([writeOf(type, { key, document, position })], []);
    }
  }
};

type Written = { readonly key: string; readonly document: unknown; readonly position: Position };

const writeOf = (type: AnyDocumentType, { key, document, position }: Written) => {
  const place = { collection: collectionOf(type), key, position };
  return document === undefined
    ? { ...place, indexKeys: {} }
    : { ...place, document: document as Plain, indexKeys: type.indexKeysOf(document) };
};

const streamOf = ({ type, data }: AnyEvent): string => {
  const kind = eventKinds.find((declared) => declared.type === type);
  assert.ok(kind !== undefined);
  return kind.stream(data);
};

const rendererOver = (
  { store, ...place }: Place & Pick<UpdateRendererNeeds, 'documents'> & { readonly store: DocumentStore },
  rendering: Pick<UpdateRendererNeeds, 'readModels' | 'passedUpTo' | 'communityBytesMax'>,
  render: Renderer,
): ReturnType<typeof liveUpdateRenderer> =>
  liveUpdateRenderer({
    ...place,
    ...rendering,
    types: {
      communities: communityDocuments,
      memberships: membershipsDocuments,
      users: userDocuments,
      conversations: conversationDocuments,
    },
    unread: unreadReads(readsOf(store)),
    peersOf: async (user, which) => {
      const page = { limit: 100, ...(which === 'answered' ? { only: which } : {}) };
      return (await conversationsOf(readsOf(store), user, page)).flatMap(({ members }): readonly UserId[] => members);
    },
    hasWrittenTo: () => Promise.resolve(false),
    updates: Object.fromEntries(eventKinds.map(({ type }): [string, Renderer] => [type, render])),
    prefetched: prefetchedMembers,
  });

type Place = { readonly log: EventLog; readonly codec: EventCodec; readonly sealer: Sealer };

/** Stores the event as the `index`-th of the log, and reads it back. */
const appended = async (
  { log, codec, sealer, moment }: Place & { readonly moment: bigint },
  event: AnyEvent,
  index: number,
): Promise<Recorded> => {
  const envelope = {
    id: `00000000-0000-5000-8000-${index.toString().padStart(12, '0')}`,
    stream: streamOf(event),
    metadata: { $correlationId: 'c', $causationId: 'c', command: 'Test', moment: moment.toString() },
    period: '202601',
  };
  let written = codec.write(event, envelope);
  if (written instanceof KeysMissing) {
    await sealer.makeKeys(written.names);
    written = codec.write(event, envelope);
  }
  if (written instanceof KeysMissing) throw new Error('keys stay missing');
  await log.append(envelope.stream, [written], 'any');
  const [stored] = await log.readAll({ from: beforeAll + BigInt(index), limit: 1 });
  const recorded = stored === undefined ? undefined : codec.read(stored);
  if (recorded === undefined || recorded instanceof KeysMissing) throw new Error('what was appended cannot be read');
  return recorded;
};
