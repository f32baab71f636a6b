import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryEventLog } from '../../src/adapters/eventLog/memory.js';
import { memoryIdMark } from '../../src/adapters/leases/memoryIdMark.js';
import { systemIds } from '../../src/adapters/system/ids.js';
import { mintedIds } from '../../src/domain/mintedIds.js';
import { highestIdTime, tailEventsMax } from '../../src/kernel/highestId.js';
import { epochMillis, snowflakeOf, type Millis } from '../../src/kernel/ids.js';

const markAheadMillis = 8_000;
const { eventId, commandId } = systemIds(() => 0n);

/** A log of messages that were made at these times, in milliseconds since the epoch of ids. */
const setting = async (...times: readonly number[]) => {
  const log = memoryEventLog({ now: () => 0 as Millis });
  const mark = memoryIdMark();
  const reads = { whole: 0 };
  for (const at of times) {
    const id = snowflakeOf({ at: (epochMillis + at) as Millis, node: 3, counter: 1 });
    const empty = Buffer.from('{}');
    const event = { id: eventId(commandId(), 0), type: 'messages.MessageSent.v1', data: empty, metadata: empty };
    await log.append(`message-${id.toString()}`, [event], 'any');
  }
  const onLongRead = (): void => {
    reads.whole += 1;
  };
  const highest = async (): Promise<number> =>
    (await highestIdTime({ log, mark, mintedIds, markAheadMillis, onLongRead })) - epochMillis;
  const marked = (at: number): Promise<void> => mark.raise((epochMillis + at) as Millis);
  return { highest, marked, reads };
};

/** Longer than the part of the end that is looked at. */
const many = Array.from({ length: tailEventsMax }, () => 5_000);

describe('the time of the highest id', () => {
  it('is none in an empty log without a mark', async () => {
    const { highest } = await setting();
    assert.equal(await highest(), -epochMillis);
  });

  it('is found in the whole log where there is no mark, wherever in it the id is', async () => {
    const { highest, reads } = await setting(70_000, ...many);
    assert.equal(await highest(), 70_000);
    assert.equal(reads.whole, 1);
  });

  it('is found in the whole log where ids of it are above the mark: the mark is not of this log', async () => {
    const { highest, marked, reads } = await setting(70_000, ...many, 6_000);
    await marked(5_500);
    assert.equal(await highest(), 70_000);
    assert.equal(reads.whole, 1);
  });

  it('is the used part of the mark, when the end of the log shows it', async () => {
    const { highest, marked, reads } = await setting(...many, 20_000, 27_000);
    await marked(26_000 + markAheadMillis);
    assert.equal(await highest(), 27_000);
    assert.equal(reads.whole, 0);
  });

  it('is at least where the mark was raised, when the ids of then are not in the log', async () => {
    const { highest, marked } = await setting(1_000);
    await marked(26_000 + markAheadMillis);
    assert.equal(await highest(), 26_000);
  });

  it('is the mark when the end of the log does not reach back to where it was raised', async () => {
    const { highest, marked } = await setting(1_000, ...many);
    await marked(4_000 + markAheadMillis);
    assert.equal(await highest(), 4_000 + markAheadMillis);
  });
});
