import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryEventLog } from '../../src/adapters/eventLog/memory.js';
import { authorKeyName, scopeKeyName } from '../../src/adapters/sealer/keyNames.js';
import { vaultSealer } from '../../src/adapters/sealer/vault.js';
import { systemIds } from '../../src/adapters/system/ids.js';
import { systemRandom } from '../../src/adapters/system/random.js';
import { systemTimers } from '../../src/adapters/system/timers.js';
import { memoryVault } from '../../src/adapters/vault/memory.js';
import { deploymentRecord } from '../../src/container/deployment/record.js';
import { keysMissingIn, pageEvents, uncountedEventsMax } from '../../src/container/deployment/sealedEvents.js';
import { messages } from '../../src/domain/messages/decide.js';
import { eventKinds } from '../../src/domain/registry.js';
import { selfChat } from '../../src/kernel/chat.js';
import { eventCodec, periodOf } from '../../src/kernel/codec.js';
import { executor } from '../../src/kernel/execute.js';
import { foldedStreams } from '../../src/kernel/foldedStreams.js';
import { snowflakes, type MessageId, type Millis, type UserId } from '../../src/kernel/ids.js';

const at = 1_767_225_600_000 as Millis;
const now = (): Millis => at;
const [ada, ben] = [1n as UserId, 2n as UserId];
const keysEach = 2;

/** A log whose messages are sealed under keys that another vault has, beside an older copy of it that lacks them. */
const setup = async () => {
  const [log, whole, older] = [memoryEventLog({ now }), memoryVault(), memoryVault()];
  const sealer = await vaultSealer({ vault: whole, timers: systemTimers, random: systemRandom() });
  const ids = systemIds(snowflakes(0, now));
  const needs = { log, sealer, codec: eventCodec(eventKinds, sealer) };
  const execute = executor({ ...needs, clock: { now }, ids, streams: foldedStreams(needs) });
  const send = async (by: UserId, times = 1): Promise<void> => {
    for (let sent = 0; sent < times; sent += 1) {
      const message = ids.next() as MessageId;
      const data = { message, chat: selfChat(by), by, text: 'hello', entities: [], mentions: [] };
      await execute(messages, { type: 'SendMessage', data }, { commandId: message.toString(), correlationId: 'c' });
    }
  };
  return { log, whole, older, send, record: deploymentRecord(log, { now }) };
};

describe('keys that a vault has never had', () => {
  it('are counted once each, however many events are sealed under them', async () => {
    const { log, whole, older, send } = await setup();
    await send(ada, 3);
    await send(ben);
    assert.equal(await keysMissingIn(whole, log), 0);
    assert.equal(await keysMissingIn(older, log), 2 * keysEach);
  });

  it('are not those that were destroyed', async () => {
    const { log, older, send } = await setup();
    await send(ada);
    await older.destroy(authorKeyName(ada.toString(), periodOf(at)));
    assert.equal(await keysMissingIn(older, log), 1);
    await older.destroy(scopeKeyName(selfChat(ada)));
    assert.equal(await keysMissingIn(older, log), 0);
  });

  it('are looked for after the last count, and after keys were given up', async () => {
    const { log, older, send, record } = await setup();
    await record.name('a');
    await send(ada);
    await record.countKeys('a', 9);
    assert.equal(await keysMissingIn(older, log), 0);
    await send(ben);
    assert.equal(await keysMissingIn(older, log), keysEach);
    assert.equal(await keysMissingIn(older, log, await log.end()), 0);
  });

  it('are looked for in a bounded number of the newest events', async () => {
    const { log, older, send } = await setup();
    await send(ben);
    await send(ada, uncountedEventsMax - 1);
    assert.equal(await keysMissingIn(older, log), 2 * keysEach);
    await send(ada);
    let read = 0;
    const readAll: typeof log.readAll = async (asked) => {
      const page = await log.readAll(asked);
      read += page.length;
      return page;
    };
    assert.equal(await keysMissingIn(older, { ...log, readAll }), keysEach);
    assert.ok(read <= uncountedEventsMax && uncountedEventsMax % pageEvents === 0);
  });
});
