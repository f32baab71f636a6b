import { memoryDocuments } from '../../../../src/adapters/documents/memory.js';
import { memoryEventLog } from '../../../../src/adapters/eventLog/memory.js';
import { systemIds } from '../../../../src/adapters/system/ids.js';
import { eventKinds } from '../../../../src/domain/registry.js';
import { eventCodec, readEvent } from '../../../../src/kernel/codec.js';
import { collectionOf, forRunner, type AnyDocumentType } from '../../../../src/kernel/document.js';
import { beforeAll, type Event, type Recorded } from '../../../../src/kernel/event.js';
import { executor } from '../../../../src/kernel/execute.js';
import { foldedStreams } from '../../../../src/kernel/foldedStreams.js';
import { epochMillis, snowflakes, type Millis } from '../../../../src/kernel/ids.js';
import type { DocumentStore, Plain } from '../../../../src/kernel/ports/documentStore.js';
import type { CommunityDocument } from '../../../../src/projections/communities/documents.js';
import { communityDocuments } from '../../../../src/projections/communities/fold.js';
import { inviteDocuments } from '../../../../src/projections/invites/fold.js';
import type { MembershipsDocument } from '../../../../src/projections/members/documents.js';
import { memberDocuments, membershipsDocuments } from '../../../../src/projections/members/fold.js';
import {
  lastSentDocuments,
  messageCountDocuments,
  messageDocuments,
} from '../../../../src/projections/messages/fold.js';
import { readMarkerDocuments } from '../../../../src/projections/reads/fold.js';
import type { UserDocument } from '../../../../src/projections/users/documents.js';
import { userDocuments } from '../../../../src/projections/users/fold.js';
import { plainSealer } from '../../../support/plainSealer.js';

const types = [
  { type: forRunner(communityDocuments), indexes: communityDocuments.indexes },
  { type: forRunner(memberDocuments), indexes: memberDocuments.indexes },
  { type: forRunner(membershipsDocuments), indexes: membershipsDocuments.indexes },
  { type: forRunner(inviteDocuments), indexes: inviteDocuments.indexes },
  { type: forRunner(userDocuments), indexes: userDocuments.indexes },
  { type: forRunner(messageDocuments), indexes: messageDocuments.indexes },
  { type: forRunner(messageCountDocuments), indexes: messageCountDocuments.indexes },
  { type: forRunner(lastSentDocuments), indexes: lastSentDocuments.indexes },
  { type: forRunner(readMarkerDocuments), indexes: readMarkerDocuments.indexes },
] as const;

/** The documents that rules are made of, as of one event. */
export type Snapshot = {
  readonly communities: ReadonlyMap<string, CommunityDocument>;
  readonly memberships: ReadonlyMap<string, MembershipsDocument>;
  readonly users: ReadonlyMap<string, UserDocument>;
};

/** Log, rules and read models in memory. Nothing is read before it is asked for: `follow` folds what is new. */
export const openEngines = async () => {
  const time = { millis: (epochMillis + 1_000_000_000) as Millis };
  const clock = { now: () => time.millis };
  const ids = systemIds(snowflakes(0, clock.now));
  const log = memoryEventLog(clock);
  const sealer = plainSealer();
  const codec = eventCodec(eventKinds, sealer);
  const streams = foldedStreams({ log, codec, sealer });
  const store = memoryDocuments();
  await store.open(types.map(({ type, indexes }) => ({ name: collectionOf(type), indexes: Object.keys(indexes) })));

  let now: Snapshot = { communities: new Map(), memberships: new Map(), users: new Map() };
  let position = beforeAll;
  return {
    time,
    clock,
    ids,
    log,
    sealer,
    codec,
    store,
    execute: executor({ log, codec, sealer, clock, ids, streams }),
    streams,
    snapshot: (): Snapshot => now,
    follow: async (tell: (event: Recorded, before: Snapshot) => Promise<void>): Promise<void> => {
      for (const stored of await log.readAll({ from: position, limit: 10_000 })) {
        position = stored.position;
        const event = await readEvent(codec, sealer, stored);
        if (event === undefined) continue;
        const before = now;
        for (const { type } of types)
          for (const change of await foldInto(store, type, event)) now = seeing(now, change);
        await tell(event, before);
      }
    },
    append: async (stream: string, event: Event): Promise<void> => {
      const metadata = { $correlationId: 'test', $causationId: 'test', command: 'Test' };
      const envelope = { id: ids.commandId(), stream, metadata, period: '202501' };
      let record = codec.write(event, envelope);
      while ('names' in record) {
        await sealer.makeKeys(record.names);
        record = codec.write(event, envelope);
      }
      await log.append(stream, [record], 'any');
    },
  };
};
export type Engines = Awaited<ReturnType<typeof openEngines>>;

type Change = { readonly name: string; readonly key: string; readonly after: unknown };

const foldInto = async (store: DocumentStore, type: AnyDocumentType, event: Recorded): Promise<readonly Change[]> => {
  const collection = collectionOf(type);
  const changes: Change[] = [];
  for (const key of type.types.includes(event.type) ? type.keysOf(event) : []) {
    const { document } = await store.get(collection, key);
    // What a fold makes is what the store holds.
    const after = type.fold(document, event, key) as Plain | undefined;
    const indexKeys = after === undefined ? {} : type.indexKeysOf(after);
    const write = { collection, key, position: event.position, indexKeys };
    await store.commit([after === undefined ? write : { ...write, document: after }], []);
    changes.push({ name: type.name, key, after });
  }
  return changes;
};

const seeing = (before: Snapshot, { name, key, after }: Change): Snapshot => {
  if (name !== 'communities' && name !== 'memberships' && name !== 'users') return before;
  const documents = new Map<string, unknown>(before[name]);
  if (after === undefined) documents.delete(key);
  else documents.set(key, after);
  return { ...before, [name]: documents };
};
