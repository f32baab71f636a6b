import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { DocumentType } from '../../../src/kernel/document.js';
import { beforeAll, type Event, type Recorded } from '../../../src/kernel/event.js';
import type { Millis } from '../../../src/kernel/ids.js';
import type { AbsentDocument, StoredDocument } from '../../../src/kernel/ports/documentStore.js';
import { heldBytes } from '../../../src/kernel/heldBytes.js';
import { nextTurn } from '../../../src/kernel/timing.js';
import { idleBytesMax, liveDocuments, type LiveDocuments } from '../../../src/projections/reading/liveDocuments.js';

type Noted = Event<'Noted' | 'Cleared', { readonly key: string }>;
/** The positions of all events since it was last cleared. */
type Notes = { readonly noted: readonly bigint[] };

const keys = ({ data }: Noted): readonly string[] => [data.key];
const notes: DocumentType<Notes, Noted> = {
  name: 'notes',
  version: 1,
  keys: { Noted: keys, Cleared: keys },
  streams: 'log',
  indexes: {},
  evolve: {
    Noted: (before, { position }) => ({ noted: [...(before?.noted ?? []), position] }),
    Cleared: () => undefined,
  },
};

const event = (type: Noted['type'], key: string, position: bigint): Recorded<Noted> => ({
  type,
  data: { key },
  stream: `notes-${key}`,
  revision: 0n,
  position,
  id: position.toString(),
  at: 0 as Millis,
  metadata: { $correlationId: '', $causationId: '', command: '', about: 'nobody' },
});

/** A log, a stored read model that follows it, and a telling of it that passes over what nobody follows. */
class Log {
  readonly events: Recorded<Noted>[] = [];
  projected = beforeAll;
  told = beforeAll;
  private waiting: (() => void)[] = [];

  append(type: Noted['type'], key: string): Recorded<Noted> {
    const appended = event(type, key, BigInt(this.events.length + 1));
    this.events.push(appended);
    return appended;
  }
  project(upTo: bigint): void {
    this.projected = upTo > this.projected ? upTo : this.projected;
    for (const wake of this.waiting.splice(0)) wake();
  }
  tell(live: LiveDocuments<Notes>): void {
    const next = this.events[Number(this.told)];
    if (next === undefined) return;
    this.told = next.position;
    if (live.follows(next.data.key)) live.apply(next);
  }
  readonly caughtUp = async (): Promise<void> => {
    const offered = this.told;
    while (this.projected < offered) await new Promise<void>((resolve) => this.waiting.push(resolve));
  };
  read(key: string): StoredDocument | AbsentDocument {
    const position = this.events.findLast((other) => other.data.key === key && other.position <= this.projected);
    const document = this.folded(key, this.projected);
    const place = { key, position: position?.position ?? beforeAll };
    return document === undefined ? place : { ...place, document };
  }
  folded(key: string, upTo: bigint): Notes | undefined {
    const own = this.events.filter((other) => other.data.key === key && other.position <= upTo);
    const cleared = own.findLastIndex(({ type }) => type === 'Cleared');
    const noted = own.slice(cleared + 1).map(({ position }) => position);
    return noted.length === 0 ? undefined : { noted };
  }
  /** Never behind what was told, never more than was stored, never with a gap. */
  check(key: string, document: Notes | undefined): void {
    const latest = this.projected > this.told ? this.projected : this.told;
    for (let at = this.told; at <= latest; at += 1n) {
      try {
        assert.deepEqual(document, this.folded(key, at));
        return;
      } catch (error) {
        if (at === latest) throw error;
      }
    }
  }
}

const setUp = (idleMax = 10, idleBytes = idleBytesMax) => {
  const log = new Log();
  const reads: (readonly string[])[] = [];
  const live = liveDocuments(notes, {
    caughtUp: log.caughtUp,
    idleMax,
    idleBytesMax: idleBytes,
    documents: {
      getMany: (_, wanted) => {
        reads.push([...wanted]);
        return Promise.resolve(wanted.map((key) => log.read(key)));
      },
    },
  });
  return { log, live, reads };
};

describe('live documents', () => {
  it('are loaded once for all who ask, and answer at once from then on', async () => {
    const { log, live, reads } = setUp();
    log.append('Noted', 'a');
    log.project(1n);
    const [one, other] = await Promise.all([live.get('a'), live.get('a')]);
    assert.deepEqual(one, { noted: [1n] });
    assert.equal(other, one);
    assert.equal(live.get('a'), one);
    assert.deepEqual(reads, [['a']]);
  });

  it('are read together when they are asked for together', async () => {
    const { live, reads } = setUp();
    await Promise.all([live.get('a'), live.get('b')]);
    assert.deepEqual(reads, [['a', 'b']]);
  });

  it('do not exist, and are held as that', async () => {
    const { live, reads } = setUp();
    await live.get('a');
    assert.equal(live.holds('a'), true);
    assert.equal(live.get('a'), undefined);
    assert.equal(reads.length, 1);
  });

  it('wait for a read model that is behind', async () => {
    const { log, live } = setUp();
    log.append('Noted', 'a');
    log.tell(live);
    const loading = live.get('a');
    log.project(1n);
    assert.deepEqual(await loading, { noted: [1n] });
  });

  it('say what an event changed', async () => {
    const { log, live } = setUp();
    await live.get('a');
    const changes = live.apply(log.append('Noted', 'a'));
    assert.deepEqual(changes, [{ key: 'a', before: undefined, after: { noted: [1n] } }]);
  });

  it('are not changed by an event that was in the read model already', async () => {
    const { log, live } = setUp();
    const noted = log.append('Noted', 'a');
    log.project(1n);
    await live.get('a');
    assert.deepEqual(live.apply(noted), []);
    assert.deepEqual(live.peek('a'), { noted: [1n] });
  });

  it('are evicted in the order of their last use, but not while they are pinned', async () => {
    const { live } = setUp(2);
    live.pin('pinned');
    for (const key of ['pinned', 'a', 'b', 'a', 'c']) await live.get(key);
    assert.deepEqual(
      ['pinned', 'a', 'b', 'c'].map((key) => live.holds(key)),
      [true, true, false, true],
    );
    live.unpin('pinned');
    assert.deepEqual(
      ['pinned', 'a', 'c'].map((key) => live.holds(key)),
      [true, false, true],
    );
  });

  it('leave nothing behind when they cannot be loaded', async () => {
    const { log } = setUp();
    let broken = true;
    const live = liveDocuments(notes, {
      caughtUp: log.caughtUp,
      idleMax: 1,
      documents: {
        getMany: (_, wanted) =>
          broken ? Promise.reject(new Error('the store is away')) : Promise.resolve(wanted.map((key) => log.read(key))),
      },
    });
    await assert.rejects(async () => live.get('a'), /away/);
    assert.equal(live.follows('a'), false);
    broken = false;
    assert.equal(await live.get('a'), undefined);
  });

  it('are evicted when they take too much memory, unless they are pinned', async () => {
    const bytes = heldBytes({ document: { noted: [1n] }, position: 1n });
    const { log, live } = setUp(10, 2 * bytes);
    for (const key of ['a', 'b', 'c', 'd']) log.append('Noted', key);
    log.project(4n);
    live.pin('a');
    for (const key of ['a', 'b', 'c', 'd']) await live.get(key);
    assert.deepEqual(['a', 'b', 'c', 'd'].map(live.holds), [true, false, true, true]);
    live.unpin('a');
    assert.deepEqual(['a', 'b', 'c', 'd'].map(live.holds), [true, false, false, true]);
  });

  describe('that are wanted', () => {
    const bytes = heldBytes({ document: { noted: [1n] }, position: 1n });
    const wantedSetUp = (documentsMax: number) => {
      const log = new Log();
      const live = liveDocuments(notes, {
        caughtUp: log.caughtUp,
        idleMax: 0,
        wantedBytesMax: documentsMax * bytes,
        documents: { getMany: (_, wanted) => Promise.resolve(wanted.map((key) => log.read(key))) },
      });
      for (const key of ['a', 'b', 'c', 'd']) log.append('Noted', key);
      log.project(4n);
      const held = async (): Promise<string> => {
        await nextTurn();
        return ['a', 'b', 'c', 'd'].filter(live.holds).join('');
      };
      return { log, live, held };
    };

    it('are loaded as long as there is room, and stay before all others', async () => {
      const { live, held } = wantedSetUp(2);
      for (const key of ['a', 'b', 'c']) await live.want(key);
      assert.equal(await held(), 'ab');
      await live.get('d');
      assert.equal(await held(), 'ab');
    });

    it('give way to those that were asked for, first such as nobody has asked for', async () => {
      const { live, held } = wantedSetUp(2);
      for (const key of ['a', 'b', 'c', 'd']) await live.want(key);
      await live.get('a');
      await live.get('c');
      assert.equal(await held(), 'ac');
      await live.get('d');
      assert.equal(await held(), 'cd');
      live.unwant('d');
      assert.equal(await held(), 'c');
    });

    it('are all there for those who asked for more than there is room for, until the next turn', async () => {
      const { live, held } = wantedSetUp(2);
      for (const key of ['a', 'b', 'c', 'd']) void live.want(key);
      const all = await Promise.all(['a', 'b', 'c', 'd'].map(async (key) => live.get(key)));
      assert.ok(all.every((document) => document !== undefined));
      assert.deepEqual(['a', 'b', 'c', 'd'].map(live.holds), [true, true, true, true]);
      assert.equal((await held()).length, 2);
    });

    it('are measured as they grow', async () => {
      const { log, live, held } = wantedSetUp(3);
      for (const key of ['a', 'b']) await live.want(key);
      await live.get('a');
      for (let more = 0; more < 40; more += 1) live.apply(log.append('Noted', 'a'));
      assert.equal(await held(), '');
    });

    it('stay while they are pinned', async () => {
      const { live, held } = wantedSetUp(0);
      live.pin('a');
      void live.want('a');
      await live.get('a');
      assert.equal(await held(), 'a');
      live.unpin('a');
      assert.equal(await held(), '');
    });

    it('are exact at each position once they were told of, however often they are evicted and loaded', async () => {
      const names = ['a', 'b', 'c'];
      const step = fc.record({
        does: fc.constantFrom('note' as const, 'clear' as const, 'get' as const, 'tell' as const, 'store' as const),
        key: fc.constantFrom(...names),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), fc.nat({ max: 2 }), async (steps, most) => {
          const log = new Log();
          const live = liveDocuments(notes, {
            caughtUp: log.caughtUp,
            idleMax: 0,
            wantedBytesMax: most * bytes,
            documents: { getMany: (_, wanted) => Promise.resolve(wanted.map((key) => log.read(key))) },
            history: {
              appliedUpTo: () => log.told,
              documentUpTo: (key, position) => Promise.resolve(log.folded(key, position)),
            },
          });
          for (const name of names) void live.want(name);
          const asked: Promise<unknown>[] = [];
          for (const { does, key } of steps) {
            if (does === 'note') log.append('Noted', key);
            if (does === 'clear') log.append('Cleared', key);
            if (does === 'get') asked.push(Promise.resolve(live.get(key)));
            if (does === 'store') log.project(BigInt(log.events.length));
            if (does === 'tell') log.tell(live);
            await nextTurn();
            for (const name of names)
              if (live.holds(name)) assert.deepEqual(live.peek(name), log.folded(name, log.told));
          }
          log.project(BigInt(log.events.length));
          await Promise.all(asked);
        }),
        { numRuns: 100 },
      );
    });
  });

  it('are the fold of the events told, however telling, storing, loading and evicting interleave', async () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.oneof(
      fc.record({ does: fc.constant('note' as const), key }),
      fc.record({ does: fc.constant('clear' as const), key }),
      fc.record({ does: fc.constantFrom('get' as const, 'pin' as const, 'unpin' as const), key }),
      fc.record({ does: fc.constantFrom('tell' as const, 'store' as const), key }),
    );
    const steps = fc.array(step, { minLength: 20, maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), steps, fc.nat({ max: 3 }), async (scheduler, sequence, idleMax) => {
        const log = new Log();
        const live = liveDocuments(notes, {
          caughtUp: log.caughtUp,
          idleMax,
          documents: {
            getMany: async (_, wanted) => {
              await scheduler.schedule(Promise.resolve(), 'the read begins');
              const found = wanted.map((name) => log.read(name));
              await scheduler.schedule(Promise.resolve(), 'the read is answered');
              return found;
            },
          },
        });
        const asked: Promise<void>[] = [];
        const ask = async (name: string): Promise<void> => {
          log.check(name, await live.get(name));
        };
        const run = {
          note: (name: string) => log.append('Noted', name),
          clear: (name: string) => log.append('Cleared', name),
          get: (name: string) => asked.push(ask(name)),
          pin: live.pin,
          unpin: live.unpin,
          tell: () => {
            log.tell(live);
            for (const name of ['a', 'b', 'c', 'd']) if (live.holds(name)) log.check(name, live.peek(name));
          },
          store: () => {
            log.project((log.projected + BigInt(log.events.length) + 1n) / 2n);
          },
        };
        scheduler.scheduleSequence(
          sequence.map(({ does, key: name }) => ({
            label: `${does} ${name}`,
            builder: async () => void run[does](name),
          })),
        );
        await scheduler.waitIdle();
        log.project(BigInt(log.events.length));
        await scheduler.waitIdle();
        await Promise.all(asked);
        while (log.told < log.projected) log.tell(live);
        for (const name of ['a', 'b', 'c', 'd']) if (live.holds(name)) log.check(name, live.peek(name));
      }),
      { numRuns: 150 },
    );
  });
});
