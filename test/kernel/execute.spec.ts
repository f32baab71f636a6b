import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EventTooLarge } from '../../src/kernel/codec.js';
import { isRejection, reject } from '../../src/kernel/decider.js';
import { attemptsMax } from '../../src/kernel/execute.js';
import type { UserId } from '../../src/kernel/ids.js';
import { VersionConflict, type EventLog } from '../../src/kernel/ports/eventLog.js';
import { KeyDestroyed } from '../../src/kernel/ports/sealer.js';
import { plainSealer } from '../support/plainSealer.js';
import { ada, bank, cause, fillUp, node, payIn, type BankCommand } from './bank.js';

const written = async (log: EventLog): Promise<number> => (await log.readAll({ limit: 100 })).length;

describe('execute', () => {
  it('appends what was decided, with the keys that it needs', async () => {
    const { log, execute } = node();
    const done = await execute(bank, payIn(5), cause());
    assert.ok(!isRejection(done));
    assert.equal(done.position, await log.end());
    const [stored] = await log.readStream('bank-7', { limit: 1 });
    assert.equal(stored?.type, 'banks.CoinsPaidIn.v1');
  });

  it('writes nothing for a refusal', async () => {
    const { log, execute } = node();
    assert.deepEqual(await execute(bank, payIn(101), cause()), reject('TOO_MANY'));
    assert.equal(await written(log), 0);
  });

  it('asks for another attempt when what was read is erased before it is sealed', async () => {
    const sealer = plainSealer();
    const erased = () => {
      throw new KeyDestroyed('of whom was quoted');
    };
    const { log, execute } = node(undefined, { ...sealer, seal: erased });
    assert.deepEqual(await execute(bank, payIn(5), cause()), reject('CONFLICT'));
    assert.equal(await written(log), 0);
  });

  it('decides one command of a stream after the other', async () => {
    const { log, execute } = node();
    await Promise.all(Array.from({ length: 10 }, () => execute(bank, fillUp(50), cause())));
    assert.equal(await written(log), 1);
  });

  it('decides again on what another node wrote in between', async () => {
    const one = node();
    const other = node(one.log);
    await one.execute(bank, payIn(60), cause());
    await other.execute(bank, payIn(30), cause());
    assert.deepEqual(await one.execute(bank, payIn(20), cause()), reject('TOO_MANY'));
    assert.equal(await written(one.log), 2);
  });

  it('does not trust a remembered state for a decision that the log will not check', async () => {
    const one = node();
    const other = node(one.log);
    await one.execute(bank, fillUp(10), cause());
    await other.execute(bank, fillUp(40), cause());
    const done = await one.execute(bank, fillUp(40), cause());
    assert.ok(!isRejection(done));
    assert.equal(done.events.length, 0);
    assert.equal(done.position, await one.log.end());
  });

  it('begins a stream without reading it, and finds out when it exists', async () => {
    const { log, execute } = node();
    const reads: string[] = [];
    const watched: EventLog = {
      ...log,
      readStream: (stream, read) => {
        reads.push(stream);
        return log.readStream(stream, read);
      },
    };
    const open: BankCommand = { type: 'Open', data: { owner: ada } };
    await node(watched).execute(bank, open, cause());
    assert.deepEqual(reads, []);
    await node(watched).execute(bank, open, cause());
    assert.equal(await written(log), 1);
    assert.ok(isRejection(await execute(bank, payIn(100), cause())));
  });

  it('asks for the command anew after every wait', async () => {
    const { execute } = node();
    let asked = 0;
    let tick = 0;
    const command = (): BankCommand => {
      asked += 1;
      tick = asked;
      return payIn(asked);
    };
    const done = await execute(bank, command, cause());
    assert.ok(!isRejection(done));
    assert.equal(done.events[0]?.data.coins, tick);
  });

  it('asks once for a command that begins a stream, in the tick in which it is written', async () => {
    const sealer = plainSealer();
    // The keys are there from then on.
    await node(undefined, sealer).execute(bank, payIn(1), cause());
    const { execute } = node(undefined, sealer);
    const made: BankCommand[] = [];
    const open = (): BankCommand => {
      made.push({ type: 'Open', data: { owner: ada } });
      return made.at(-1) ?? assert.fail();
    };
    await execute(bank, open, cause());
    assert.equal(made.length, 1);
  });

  it('writes nothing when the maker of the command refuses after a wait', async () => {
    const { log, execute } = node();
    const answers = [payIn(5), reject('MISSING_PERMISSION')];
    // The keys are missing at first, so the command is made twice.
    const outcome = await execute(bank, () => answers.shift() ?? assert.fail('made too often'), cause());
    assert.deepEqual(outcome, reject('MISSING_PERMISSION'));
    assert.equal(await written(log), 0);
  });

  it('waits for the maker of the command, in a bounded number of rounds', async () => {
    const { log, execute } = node();
    const waits = [Promise.resolve(), Promise.resolve()];
    assert.ok(!isRejection(await execute(bank, () => waits.shift() ?? payIn(5), cause())));
    assert.equal(await written(log), 1);
    assert.deepEqual(await execute(bank, () => Promise.resolve(), cause()), reject('CONFLICT'));
  });

  it('does the same command once, however often it is asked', async () => {
    const { log } = node();
    const same = cause('11111111-1111-4111-8111-111111111100');
    await node(log).execute(bank, payIn(5), same);
    await node(log).execute(bank, payIn(5), same);
    assert.equal(await written(log), 1);
  });

  it('gives up after a bounded number of lost races', async () => {
    const { log } = node();
    let appends = 0;
    const contested: EventLog = {
      ...log,
      append: (stream, _, expected) => {
        appends += 1;
        return Promise.reject(new VersionConflict(stream, expected, 1n));
      },
    };
    await assert.rejects(node(contested).execute(bank, payIn(1), cause()), VersionConflict);
    assert.equal(appends, attemptsMax);
  });

  it('goes on with the next command of a stream when one fails', async () => {
    const { log, execute } = node();
    const huge: BankCommand = { type: 'PayIn', data: { owner: ada, coins: 1, note: 'x'.repeat(70_000) } };
    const [failed] = await Promise.allSettled([execute(bank, huge, cause()), execute(bank, payIn(1), cause())]);
    assert.ok(failed.status === 'rejected' && failed.reason instanceof EventTooLarge);
    assert.equal(await written(log), 1);
  });

  it('does not ask for ever for keys of what each asking names anew', async () => {
    const { execute } = node();
    let owner = 100n;
    const command = (): BankCommand => ({ type: 'Open', data: { owner: (owner += 1n) as UserId } });
    await assert.rejects(execute(bank, command, cause()), /asks for other keys each time/);
  });
});
