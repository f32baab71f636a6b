import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { selfChat } from '../../../src/kernel/chat.js';
import { collectionOf } from '../../../src/kernel/document.js';
import type { Event } from '../../../src/kernel/event.js';
import type { MessageId, UserId } from '../../../src/kernel/ids.js';
import type { DocumentStore } from '../../../src/kernel/ports/documentStore.js';
import { deferred, nextTurn } from '../../../src/kernel/timing.js';
import { ProjectionsClosed } from '../../../src/projections/progress/waiters.js';
import { foldedDocuments } from '../../../src/projections/reading/foldedDocuments.js';
import { messageDocuments } from '../../../src/projections/messages/fold.js';
import {
  holdMillisMax,
  switchableDocuments,
  type FollowedDocuments,
} from '../../../src/projections/runner/switchable.js';
import { openStore, setting, type Setting } from '../setting.js';

const ada = 1n as UserId;
const sent = (message: number): Event => ({
  type: 'MessageSent',
  data: {
    ...{ message: BigInt(message) as MessageId, chat: selfChat(ada), author: ada },
    ...{ mentions: [], text: 'hello', entities: [] },
  },
});

const collection = collectionOf(messageDocuments);

/** Its commits take a while, and its reads some more. */
const slowly = (store: DocumentStore, turns: () => number): DocumentStore => {
  const later = async <T>(work: () => Promise<T>): Promise<T> => {
    for (let turn = turns(); turn > 0; turn -= 1) await nextTurn();
    return work();
  };
  return {
    ...store,
    commit: (...args) => later(() => store.commit(...args)),
    scan: (scan) => later(() => store.scan(scan)).then((found) => later(() => Promise.resolve(found))),
  };
};

const followed = async (
  { start }: Setting,
  turns: () => number = () => Math.floor(Math.random() * turnsMax),
): Promise<FollowedDocuments> => {
  const store = slowly(await openStore(), turns);
  return { store, projections: await start({ store }) };
};

const turnsMax = 30;
const switches = 30;

/** Two sets of documents of one log, of which the first one serves. */
const two = async (here: Setting) => {
  const [one, other] = [await followed(here), await followed(here)];
  const switchable = switchableDocuments(one.store);
  const projections = switchable.follow(one.projections);
  const documents = foldedDocuments(switchable.documents, projections.peek);
  const end = () => here.log.end();
  return { one, other, switchable, projections, documents, end };
};

describe('documents that are exchanged', () => {
  it('show no reader less than before, and each what was appended before it asked', async () => {
    const here = setting();
    const { one, other, switchable, projections, documents, end } = await two(here);
    let [appended, isOver] = [0, false];
    const write = async (): Promise<void> => {
      while (!isOver) {
        const message = appended + 1;
        await here.happened(`message-${message.toString()}`, sent(message));
        appended = message;
        await nextTurn();
      }
    };
    const byKey = async (): Promise<number> => {
      for (let found = appended; ; found += 1) {
        const { document } = await documents.get(collection, (found + 1).toString());
        if (document === undefined) return found;
      }
    };
    const byRange = async (): Promise<number> =>
      (await documents.scan({ collection, prefix: '', limit: 100_000 })).length;
    const read = async (look: () => Promise<number>, reached: typeof projections.reached): Promise<number> => {
      let [last, reads] = [0, 0];
      while (!isOver) {
        const wanted = appended;
        await reached(await end(), ['messages']);
        const found = await look();
        assert.ok(found >= wanted, `it sees ${found.toString()} of ${wanted.toString()}`);
        assert.ok(found >= last, `it saw ${last.toString()}, and now ${found.toString()}`);
        last = found;
        reads += 1;
        await nextTurn();
      }
      return reads;
    };
    const working = Promise.all([write(), read(byKey, projections.folded.reached), read(byRange, projections.reached)]);
    try {
      for (let count = 0; count < switches; count += 1) {
        await Promise.race([working, switchable.switchTo(count % 2 === 0 ? other : one, end)]);
        await Promise.race([working, nextTurn()]);
      }
    } finally {
      isOver = true;
    }
    const [, ...reads] = await working;
    assert.ok(appended > switches && reads.every((count) => count > switches / 3), reads.join());
    await one.projections.close();
    await other.projections.close();
  });

  it('hold reads and waits from the first moment on until the next ones can answer them', async () => {
    const here = setting();
    const { one, other, switchable, documents, projections, end } = await two(here);
    const [reading, levelling] = [deferred<undefined>(), deferred<undefined>()];
    const asked: string[] = [];
    let ends = 0;
    const next: FollowedDocuments = {
      store: { ...other.store, get: (...args) => (asked.push('get'), other.store.get(...args)) },
      projections: {
        ...other.projections,
        reached: (position) => {
          asked.push(`reached ${position.toString()}`);
          return ends === 2 && position === 0n ? levelling.promise : undefined;
        },
      },
    };
    // One that is under way sees more of the former documents than the next ones may have yet.
    const underWay = one.store.scan;
    Object.assign(one.store, { scan: () => reading.promise.then(() => []) });
    const former = documents.scan({ collection, prefix: '', limit: 1 });
    const switching = switchable.switchTo(next, async () => {
      ends += 1;
      return end();
    });
    const asksAtLeast = async (times: number): Promise<void> => {
      while (ends < times) await nextTurn();
      await nextTurn();
    };
    await asksAtLeast(1);
    const [waiting, got] = [projections.reached(5n), documents.get(collection, '1')];
    assert.ok(waiting);
    for (let turn = 0; turn < turnsMax; turn += 1) await nextTurn();
    assert.equal(ends, 1, 'the end is asked for before the reads under way have ended');
    reading.resolve(undefined);
    assert.deepEqual(await former, []);
    await asksAtLeast(2);
    assert.deepEqual(asked, ['reached 0', 'reached 0']);
    levelling.resolve(undefined);
    await switching;
    await waiting;
    await got;
    assert.deepEqual(asked.slice(2).sort(), ['get', 'reached 5']);
    Object.assign(one.store, { scan: underWay });
    await one.projections.close();
    await other.projections.close();
  });

  it('go on as they are where the next ones do not come to the end in time', async (t) => {
    const here = setting();
    const { one, other, switchable, documents, projections, end } = await two(here);
    let asked = 0;
    const isHeld = (): boolean => asked > 1;
    const stuck: FollowedDocuments = {
      store: other.store,
      projections: { ...other.projections, reached: () => (isHeld() ? new Promise(() => undefined) : undefined) },
    };
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const switching = switchable.switchTo(stuck, async () => {
      asked += 1;
      return end();
    });
    while (!isHeld()) await nextTurn();
    const reading = documents.get(collection, '1');
    for (let turn = 0; turn < turnsMax; turn += 1) await nextTurn();
    t.mock.timers.tick(holdMillisMax);
    await assert.rejects(switching, { name: 'NotLevel' });
    assert.equal((await reading).document, undefined);
    assert.equal(projections.position(), one.projections.position());
    await other.projections.close();
  });

  it('let those wait for the next ones who waited for the former ones when these were closed', async () => {
    const here = setting();
    const { one, other, switchable, projections, end } = await two(here);
    const waiting = projections.reached(1n);
    await switchable.switchTo(other, end);
    await one.projections.close();
    await here.happened('message-1', sent(1));
    await waiting;
    await other.projections.close();
    await assert.rejects(Promise.resolve(projections.reached(2n)), ProjectionsClosed);
  });
});
