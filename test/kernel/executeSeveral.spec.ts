import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isRejection, reject, type Rejection } from '../../src/kernel/decider.js';
import type { Metadata } from '../../src/kernel/event.js';
import { attemptsMax, type Execute } from '../../src/kernel/execute.js';
import type { UserId } from '../../src/kernel/ids.js';
import {
  PartlyAppended,
  VersionConflict,
  type Appended,
  type EventLog,
  type StreamAppend,
} from '../../src/kernel/ports/eventLog.js';
import { bank, cause, fillUp, node, payIn, type BankCommand } from './bank.js';

const [ada, bob, cleo] = [7n as UserId, 8n as UserId, 9n as UserId];

type Stored = readonly [stream: string, part: string | undefined];

/** What is in the log, with its place among what was handed in with it. */
const written = async (log: EventLog): Promise<readonly Stored[]> =>
  (await log.readAll({ limit: 100 })).map(({ stream, metadata }) => {
    const { part } = JSON.parse(Buffer.from(metadata).toString()) as Metadata;
    return [stream, part];
  });

const all = (execute: Execute, ...commands: readonly BankCommand[]) => execute(bank, () => commands, cause());

const doneOf = <T extends object>(outcome: T | Rejection): T => {
  assert.ok(!isRejection(outcome));
  return outcome;
};

/** One stream after the other, as where several cannot be appended to at once. Before each of them something may happen. */
const inParts = (log: EventLog, before: (append: StreamAppend) => Promise<unknown> | undefined): EventLog => ({
  ...log,
  appendAll: async (appends) => {
    const outcomes: (Appended | Error)[] = [];
    for (const append of appends) {
      const { stream, events, expected } = append;
      try {
        await before(append);
        outcomes.push(await log.append(stream, events, expected));
      } catch (error) {
        assert.ok(error instanceof Error);
        outcomes.push(error);
      }
    }
    if (outcomes.some((outcome) => outcome instanceof Error)) throw new PartlyAppended(outcomes);
    return outcomes as readonly Appended[]; // None is an error.
  },
});

describe('execute, of several commands', () => {
  it('appends all that was decided at once, and says which part each event is', async () => {
    const { log, execute } = node();
    const { position, events } = doneOf(await all(execute, payIn(1, ada), payIn(2, bob), payIn(3, cleo)));
    assert.deepEqual(await written(log), [
      ['bank-7', '1/3'],
      ['bank-8', '2/3'],
      ['bank-9', '3/3'],
    ]);
    assert.deepEqual([position, events.length], [await log.end(), 3]);
  });

  it('writes nothing when one is refused', async () => {
    const { log, execute } = node();
    assert.deepEqual(await all(execute, payIn(1, ada), payIn(101, bob)), reject('TOO_MANY'));
    assert.deepEqual(await written(log), []);
  });

  it('leaves those out that have nothing left to do, and is at a place where they hold', async () => {
    const { log, execute } = node();
    await all(execute, fillUp(5, bob));
    const before = await written(log);
    await all(execute, fillUp(5, ada), fillUp(5, bob), fillUp(5, cleo));
    assert.deepEqual((await written(log)).slice(before.length), [
      ['bank-7', '1/2'],
      ['bank-9', '2/2'],
    ]);
    const { position, events } = doneOf(await all(execute, fillUp(5, ada), fillUp(5, cleo)));
    assert.deepEqual([position, events.length], [await log.end(), 0]);
  });

  it('has nothing to do for no commands', async () => {
    const { log, execute } = node();
    assert.equal(doneOf(await all(execute)).events.length, 0);
    assert.deepEqual(await written(log), []);
  });

  it('begins other streams each time, where their ids are minted in the tick of the append', async () => {
    const { log, execute } = node();
    let makings = 0;
    // The keys of the first makings are missing, so that it is asked anew.
    const minted = (): readonly BankCommand[] => {
      makings += 1;
      const owners = makings % 2 === 1 ? [ada, bob] : [cleo, 10n as UserId];
      return owners.map((owner) => ({ type: 'Open', data: { owner } }));
    };
    assert.equal(doneOf(await execute(bank, minted, cause())).events.length, 2);
    assert.ok(makings % 2 === 0);
    assert.deepEqual(await written(log), [
      ['bank-9', '1/2'],
      ['bank-10', '2/2'],
    ]);
  });

  it('asks for the keys of many users as often as for those of one', async () => {
    const makingsFor = async (owners: readonly bigint[]): Promise<number> => {
      let makings = 0;
      const opened = (): readonly BankCommand[] => {
        makings += 1;
        return owners.map((owner) => ({ type: 'Open', data: { owner: owner as UserId } }));
      };
      const { execute } = node();
      assert.equal(doneOf(await execute(bank, opened, cause())).events.length, owners.length);
      return makings;
    };
    const many = Array.from({ length: 3 * attemptsMax }, (_, at) => BigInt(at + 20));
    assert.equal(await makingsFor(many), await makingsFor([20n]));
  });

  it('begins streams without reading them, and finds out when one exists', async () => {
    const { log, execute } = node();
    const reads: string[] = [];
    const watched: EventLog = {
      ...log,
      readStream: (stream, read) => {
        reads.push(stream);
        return log.readStream(stream, read);
      },
    };
    const open = (owner: UserId): BankCommand => ({ type: 'Open', data: { owner } });
    await all(node(watched).execute, open(ada), open(bob));
    assert.deepEqual(reads, []);
    await all(execute, open(bob), open(cleo));
    assert.deepEqual(await written(log), [
      ['bank-7', '1/2'],
      ['bank-8', '2/2'],
      ['bank-9', undefined],
    ]);
  });

  it('does not trust remembered states for decisions that the log will not check', async () => {
    const one = node();
    const other = node(one.log);
    await all(one.execute, fillUp(10, ada));
    await all(other.execute, payIn(60, ada));
    assert.deepEqual(await all(one.execute, payIn(60, ada), payIn(1, bob)), reject('TOO_MANY'));
  });

  it('asks for the rights in the tick of the append', async () => {
    const order: string[] = [];
    const { log } = node();
    const appendAll: EventLog['appendAll'] = (appends) => {
      order.push('appended');
      return log.appendAll(appends);
    };
    const made = node({ ...log, appendAll });
    const commands = () => {
      order.push('asked');
      // Jobs of promises come after the tick.
      queueMicrotask(() => order.push('tick over'));
      return [payIn(1, ada), payIn(1, bob)];
    };
    await made.execute(bank, commands, cause());
    assert.deepEqual(order.slice(order.indexOf('appended') - 1).slice(0, 3), ['asked', 'appended', 'tick over']);
  });

  it('writes nothing when the right is gone after a wait', async () => {
    const { log, execute } = node();
    const answers = [[payIn(1, ada), payIn(1, bob)], reject('MISSING_PERMISSION')];
    const outcome = await execute(bank, () => answers.shift() ?? assert.fail('made too often'), cause());
    assert.deepEqual(outcome, reject('MISSING_PERMISSION'));
    assert.deepEqual(await written(log), []);
  });

  it('does the same commands once, however often they are asked', async () => {
    const { log } = node();
    const same = cause();
    const commands = () => [payIn(1, ada), payIn(1, bob)];
    await node(log).execute(bank, commands, same);
    await node(log).execute(bank, commands, same);
    assert.equal((await written(log)).length, 2);
  });

  it('waits for its turn on each of its streams', async () => {
    const { log, execute } = node();
    await Promise.all([
      all(execute, fillUp(50, ada), fillUp(50, bob)),
      all(execute, fillUp(50, bob), fillUp(50, ada)),
      execute(bank, fillUp(50, bob), cause()),
    ]);
    assert.equal((await written(log)).length, 2);
  });

  it('decides again on what another node wrote in between, and writes all or nothing', async () => {
    const one = node();
    const other = node(one.log);
    await all(one.execute, payIn(1, ada), payIn(1, bob));
    await all(other.execute, payIn(90, bob));
    assert.deepEqual(await all(one.execute, payIn(1, ada), payIn(50, bob)), reject('TOO_MANY'));
    assert.equal((await written(one.log)).length, 3);
  });

  it('gives up after a bounded number of lost races', async () => {
    let appends = 0;
    const appendAll = (): Promise<never> => {
      appends += 1;
      return Promise.reject(new VersionConflict('bank-7', 'noStream', 1n));
    };
    const { execute } = node({ ...node().log, appendAll });
    await assert.rejects(all(execute, payIn(1, ada), payIn(1, bob)), VersionConflict);
    assert.equal(appends, attemptsMax);
  });
});

describe('execute, of several commands on a log that is not atomic', () => {
  it('appends again only what is missing, in its old place', async () => {
    const { log } = node();
    const other = node(log);
    let isFirst = true;
    const contested = inParts(log, ({ stream }) => {
      if (stream !== 'bank-8' || !isFirst) return undefined;
      isFirst = false;
      return other.execute(bank, payIn(1, bob), cause());
    });
    const { position, events } = doneOf(
      await all(node(contested).execute, payIn(1, ada), payIn(2, bob), payIn(3, cleo)),
    );
    assert.deepEqual(await written(log), [
      ['bank-7', '1/3'],
      ['bank-8', undefined],
      ['bank-9', '3/3'],
      ['bank-8', '2/3'],
    ]);
    assert.deepEqual([position, events.length], [await log.end(), 3]);
  });

  it('says what it did when a right was gone before the rest', async () => {
    const { log } = node();
    const other = node(log);
    const contested = inParts(log, ({ stream }) =>
      stream === 'bank-8' ? other.execute(bank, payIn(100, bob), cause()) : undefined,
    );
    const { events, refused } = doneOf(await all(node(contested).execute, payIn(1, ada), payIn(2, bob)));
    assert.deepEqual(refused, reject('TOO_MANY'));
    assert.deepEqual(
      events.map(({ data }) => data.owner),
      [ada],
    );
  });

  it('fails with the first failure that is no conflict, and may be asked again', async () => {
    const { log } = node();
    let away = true;
    const failing = inParts(log, ({ stream }) =>
      away && stream === 'bank-8' ? Promise.reject(new Error('the log is away')) : undefined,
    );
    const { execute } = node(failing);
    const same = cause();
    const commands = () => [fillUp(1, ada), fillUp(1, bob), fillUp(1, cleo)];
    await assert.rejects(execute(bank, commands, same), /the log is away/);
    away = false;
    await execute(bank, commands, same);
    assert.deepEqual((await written(log)).map(([stream]) => stream).sort(), ['bank-7', 'bank-8', 'bank-9']);
  });
});
