import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkedModule } from '../../../src/adapters/projectionModules/declaration.js';
import { moduleFolding, type ModuleEvent } from '../../../src/adapters/projectionModules/moduleFolding.js';
import { memoryDocuments } from '../../../src/adapters/documents/memory.js';
import { eventKinds } from '../../../src/domain/registry.js';
import type { Event } from '../../../src/kernel/event.js';
import { eventCodec } from '../../../src/kernel/codec.js';
import { shredded } from '../../../src/kernel/opened.js';
import type { Sealer } from '../../../src/kernel/ports/sealer.js';
import type { DocumentStore } from '../../../src/kernel/ports/documentStore.js';
import type { ModuleKey, ProjectionModule } from '../../../src/kernel/ports/projectionModule.js';
import { ownReadModels, type Openness } from '../../../src/projections/own/declared.js';
import { openReading } from '../../../src/projections/own/ownEvents.js';
import { documentsPerCallMax, ownFolding, spansOf } from '../../../src/projections/own/ownFolding.js';
import { sealedForm } from '../../../src/projections/own/ownForms.js';
import type { OwnDocumentType, OwnProjection } from '../../../src/projections/own/projection.js';
import { channelChat } from '../../../src/kernel/chat.js';
import type { ChannelId, CommunityId } from '../../../src/kernel/ids.js';
import { setting } from '../setting.js';

type Tally = { readonly chat: string; readonly count: number; readonly last: string };

const tallies: OwnDocumentType<Tally> = {
  keys: {
    MessageSent: ({ data }) => (typeof data['chat'] === 'string' ? [data['chat']] : []),
    ChannelDeleted: () => ['channel.1.1'],
  },
  fold: {
    MessageSent: (document, { data }, key) => {
      const last = typeof data['text'] === 'string' ? data['text'] : JSON.stringify(data['text']);
      if (last === 'refuse this') throw new Error('refused');
      return { chat: key, count: (document?.count ?? 0) + 1, last };
    },
    ChannelDeleted: () => undefined,
  },
  indexes: { byCount: ({ count, last }) => [[count, last]] },
};
const tally: OwnProjection = { name: 'tally', version: 2, documents: { tallies } };

/** The module in this process. */
const inProcess = (calls: string[] = []): ProjectionModule => {
  const checked = checkedModule(tally);
  const folding = moduleFolding(checked);
  return {
    declared: checked.declared,
    keysOf: (events) => {
      calls.push(`keys ${events.length.toString()}`);
      return Promise.resolve(folding.keysOf(events as unknown as readonly ModuleEvent[])); // As `ownFolding` makes them.
    },
    fold: (span, documents) => {
      calls.push(`fold ${documents.length.toString()}`);
      return Promise.resolve(folding.fold(span, documents));
    },
    close: () => Promise.resolve(void calls.push('close')),
  };
};

/** Each event makes a hundred documents of 32 KiB. */
const large = (): ProjectionModule => ({
  ...inProcess(),
  keysOf: (events) => {
    const keysOf = (index: number): readonly ModuleKey[] =>
      Array.from({ length: documentsPerCallMax }, (_, at): ModuleKey => [
        'tallies',
        `${nth(events[index])} ${at.toString()}`,
      ]);
    return Promise.resolve({ keys: events.map((_, index) => keysOf(index)) });
  },
  fold: ({ from }, documents) =>
    Promise.resolve({
      documents: documents.map(([type, key]) => [type, key, from, { text: 'x'.repeat(32_000) }, {}] as const),
    }),
});
const nth = (event: unknown): string => (event as { readonly position: string }).position;

const sent = (message: number, text: string, channel = 1): Event => ({
  type: 'MessageSent',
  data: {
    ...{ message: BigInt(message), chat: channelChat(1n as CommunityId, BigInt(channel) as ChannelId), author: 5n },
    ...{ mentions: [], text, entities: [] },
  },
});

const staged = async (
  openness: Openness,
  module: () => Promise<ProjectionModule> = () => Promise.resolve(inProcess()),
) => {
  const here = setting();
  const models = ownReadModels(checkedModule(tally).declared, openness);
  const store = memoryDocuments();
  await store.open(models.collections);
  const collection = models.collections[0]?.name ?? '';
  const start = (over: DocumentStore = store) =>
    here.start({
      ...{ store: over, projections: models.projections },
      engine: ownFolding({
        ...{ start: module, module: 'tally', codec: here.codec, kinds: eventKinds },
        ...(openness === 'open' ? { sealer: here.sealer } : {}),
      }),
    });
  const happened = async (...events: readonly Event[]): Promise<void> => {
    for (const event of events) {
      const { message } = event.data as { readonly message: bigint };
      await here.happened(`message-${message.toString()}`, event);
    }
  };
  return { here, store, collection, start, happened };
};

describe('a projection that a module folds', () => {
  it('is stored with its indexes, from sealed events, once however often it is folded, and goes on after a stop', async () => {
    const { here, store, collection, start, happened } = await staged('sealed');
    await happened(sent(1, 'one'), sent(2, 'two'), sent(3, 'three', 2));
    const running = await start();
    await running.reached(await here.log.end());
    const document = { chat: 'channel.1.1', count: 2, last: '{"sealed":true}' };
    assert.deepEqual((await store.get(collection, 'channel.1.1')).document, document);
    await running.close();
    await happened(sent(4, 'four'));
    const again = await start();
    await again.reached(await here.log.end());
    const range = { collection, index: 'byCount', within: [3], order: 'ascending', limit: 9 } as const;
    assert.deepEqual(
      (await store.range(range)).map(({ key }) => key),
      ['channel.1.1'],
    );
    assert.deepEqual(await store.range({ ...range, within: [2] }), []);
    await again.close();
    // Without its checkpoint it folds all events once more into documents that have them.
    await start({ ...store, checkpoint: () => Promise.resolve(0n) }).then(async (anew) => {
      await anew.reached(await here.log.end());
      await anew.close();
    });
    assert.deepEqual((await store.get(collection, 'channel.1.1')).document, { ...document, count: 3 });
  });

  it('stops right before an event that it refuses, with an alarm that has its name', async () => {
    const { here, store, collection, start, happened } = await staged('open');
    await happened(sent(1, 'one'), sent(2, 'refuse this'), sent(3, 'three'));
    const [first] = await here.log.readAll({ limit: 1 });
    const running = await start();
    await assert.rejects(Promise.resolve(running.reached(await here.log.end())), /tally has stopped/);
    const [status] = await running.status();
    assert.equal(status?.position, first?.position);
    assert.deepEqual(
      here.alarms.map(({ projection, error }) => `${projection}: ${String(error)}`),
      ['tally: Error: Error: refused'],
    );
    const { opened, keyOf } = sealedForm(here.sealer, 'tally');
    const found = await store.get(collection, keyOf(collection, 'channel.1.1'));
    assert.ok(found.document !== undefined);
    const { document } = await opened(collection, found.key, found.document);
    assert.deepEqual(document, { chat: 'channel.1.1', count: 1, last: 'one' });
    await running.close();
  });

  it('has documents that are sealed as a whole where it sees what is personal, and is given them open again', async () => {
    const { here, store, collection, start, happened } = await staged('open');
    await happened(sent(1, 'a first secret'));
    const running = await start();
    await running.reached(await here.log.end());
    await running.close();
    await happened(sent(2, 'another secret'));
    const again = await start();
    await again.reached(await here.log.end());
    await again.close();
    const { opened, elementsOf } = sealedForm(here.sealer, 'tally');
    const within = elementsOf(collection, [2, 'another secret']);
    const [found] = await store.range({ collection, index: 'byCount', within, order: 'ascending', limit: 9 });
    assert.ok(found);
    assert.doesNotMatch(
      JSON.stringify(found, (_, value: unknown) => (typeof value === 'bigint' ? null : value)),
      /secret|channel/,
    );
    const { key, document } = await opened(collection, found.key, found.document);
    assert.deepEqual([key, document], ['channel.1.1', { chat: 'channel.1.1', count: 2, last: 'another secret' }]);
  });

  it('is given the words of a message where only those of a quote are erased, and the reverse', async () => {
    const { here } = await staged('open');
    const [author, quoted] = ['5', '6'];
    const message = sent(1, 'own words');
    const quote = { text: 'words of another', entities: [] };
    await here.happened('message-1', { type: 'MessageSent', data: { ...(message.data as object), quotes: 6n, quote } });
    const [record] = await here.log.readAll({ limit: 1 });
    assert.ok(record !== undefined);
    const shown = async (subject: string): Promise<unknown> => {
      const sealer: Sealer = {
        ...here.sealer,
        open: (value, binding, position) =>
          binding.subject === subject ? shredded : here.sealer.open(value, binding, position),
      };
      const reading = openReading({ codec: eventCodec(eventKinds, sealer), kinds: eventKinds }, sealer);
      const { text, quote } = ((await reading(record)) as { readonly data: Record<string, unknown> }).data;
      return { text, quote };
    };
    assert.deepEqual(await shown(quoted), { text: 'own words', quote: { erased: true } });
    assert.deepEqual(await shown(author), { text: { erased: true }, quote });
    assert.deepEqual(await shown('7'), { text: 'own words', quote });
  });

  it('stores what changed as soon as that is many bytes, in the middle of a fold', async () => {
    const { happened, store, start, here } = await staged('sealed', () => Promise.resolve(large()));
    const commits: number[] = [];
    const watched: DocumentStore = {
      ...store,
      commit: (writes, checkpoints) => {
        commits.push(writes.length);
        return store.commit(writes, checkpoints);
      },
    };
    await happened(...Array.from({ length: 12 }, (_, index) => sent(index + 1, 'x', index + 1)));
    const running = await start(watched);
    await running.reached(await here.log.end());
    await running.close();
    const changed = 12 * documentsPerCallMax;
    assert.ok(Math.max(...commits) <= changed / 2, commits.join(' '));
    assert.equal(
      commits.reduce((sum, writes) => sum + writes, 0),
      changed,
    );
  });

  it('stops when its module fails, and is not waited for when it is closed', async () => {
    const { here, start, happened } = await staged('sealed', () => Promise.reject(new Error('it does not start')));
    await happened(sent(1, 'one'));
    const running = await start();
    await assert.rejects(Promise.resolve(running.reached(await here.log.end())), /tally has stopped/);
    await running.close();
    let fail: (error: Error) => void = () => undefined;
    const hangs: ProjectionModule = {
      ...inProcess(),
      keysOf: () => new Promise((_, reject) => (fail = reject)),
      close: () => {
        fail(new Error('closed'));
        return Promise.resolve();
      },
    };
    const other = await staged('sealed', () => Promise.resolve(hangs));
    await other.happened(sent(1, 'one'));
    const hanging = await other.start();
    await new Promise((resolve) => setImmediate(resolve));
    await hanging.close();
    assert.deepEqual(other.here.alarms, []);
    assert.equal(hanging.position(), 0n);
  });

  it('is asked for many events at once, and for as many documents as a call is about', async () => {
    const calls: string[] = [];
    const { here, start, happened } = await staged('sealed', () => Promise.resolve(inProcess(calls)));
    const channels = documentsPerCallMax + 1;
    await happened(...Array.from({ length: channels }, (_, index) => sent(index + 1, 'x', index + 1)));
    const running = await start();
    await running.reached(await here.log.end());
    await running.close();
    assert.deepEqual(calls, [
      `keys ${channels.toString()}`,
      `fold ${documentsPerCallMax.toString()}`,
      'fold 1',
      'close',
    ]);
    const key = (name: string): ModuleKey => ['tallies', name];
    const wide = Array.from({ length: documentsPerCallMax }, (_, index) => key(index.toString()));
    assert.deepEqual(spansOf([[key('a')], wide, [key('0')], [key('b')], []]), [
      { from: 0, to: 1 },
      { from: 1, to: 3 },
      { from: 3, to: 5 },
    ]);
  });
});
