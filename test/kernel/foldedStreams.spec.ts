import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryEventLog } from '../../src/adapters/eventLog/memory.js';
import { messages } from '../../src/domain/messages/decide.js';
import { messageStream } from '../../src/domain/messages/events.js';
import { eventKinds } from '../../src/domain/registry.js';
import { selfChat } from '../../src/kernel/chat.js';
import { eventCodec } from '../../src/kernel/codec.js';
import { executor } from '../../src/kernel/execute.js';
import { foldedBytesMax, foldedStatesMax, foldedStreams } from '../../src/kernel/foldedStreams.js';
import { heldBytes } from '../../src/kernel/heldBytes.js';
import { isRejection, reject } from '../../src/kernel/decider.js';
import type { MessageId, Millis, UserId } from '../../src/kernel/ids.js';
import type { EventLog } from '../../src/kernel/ports/eventLog.js';
import { systemIds } from '../../src/adapters/system/ids.js';
import { plainSealer } from '../support/plainSealer.js';

const ada = 1n as UserId;
const message = 10n as MessageId;
const about = { message, chat: selfChat(ada), by: ada };
const now = (): Millis => 1_767_225_600_000 as Millis;

/** A process on the log. Its memory begins empty; it counts the events that it reads. */
const processOn = (log: EventLog) => {
  const read = { events: 0 };
  const counting: EventLog = {
    ...log,
    readStream: async (stream, wanted) => {
      const found = await log.readStream(stream, wanted);
      read.events += found.length;
      return found;
    },
  };
  const sealer = plainSealer();
  const needs = { log: counting, codec: eventCodec(eventKinds, sealer), sealer };
  const streams = foldedStreams(needs);
  const execute = executor({ ...needs, streams, clock: { now }, ids: systemIds(() => 0n) });
  let commands = 0;
  const edit = (text: string, at: number) => {
    const content = { text, entities: [], mentions: [], keepsText: false };
    commands += 1;
    const cause = { commandId: `edit ${text} ${commands.toString()}`, correlationId: '' };
    return execute(messages, { type: 'EditMessage', data: { ...about, at: at as Millis, content } }, cause);
  };
  const send = () => {
    const data = { ...about, text: 'hi', entities: [], mentions: [] };
    return execute(messages, { type: 'SendMessage', data }, { commandId: 'send', correlationId: '' });
  };
  return { read, edit, send, streams };
};

/** A message that was edited so often, once in ten seconds. */
const editedMessage = async (edits: number): Promise<EventLog> => {
  const log = memoryEventLog({ now });
  const { send, edit } = processOn(log);
  await send();
  for (let number = 1; number <= edits; number += 1) await edit(number.toString(), number * 10_000);
  return log;
};

describe('a message that was edited a thousand times', () => {
  it('is decided on after a start for the cost of two events', async () => {
    const log = await editedMessage(1_000);
    const { read, edit, streams } = processOn(log);
    const { state } = await streams.caughtUp(messageStream(message), messages);
    assert.ok(state.status === 'alive');
    assert.deepEqual([read.events, state.text, state.author], [2, '1000', ada]);
    assert.ok(!isRejection(await edit('another', 20_000_000)));
    assert.equal(read.events, 2);
  });

  it('is caught up with another node for the cost of one event', async () => {
    const log = await editedMessage(1);
    const [here, there] = [processOn(log), processOn(log)];
    await here.streams.caughtUp(messageStream(message), messages);
    for (let number = 2; number <= 20; number += 1) await there.edit(number.toString(), number * 10_000);
    const before = here.read.events;
    const { state } = await here.streams.caughtUp(messageStream(message), messages);
    assert.deepEqual([here.read.events - before, state.status === 'alive' && state.text], [1, '20']);
  });

  it('is paced alike on each node and after each start', async () => {
    const log = await editedMessage(0);
    const nodes = Array.from({ length: 5 }, () => processOn(log));
    for (let number = 0; number < 30; number += 1) await nodes[number % 5]?.edit(number.toString(), 0);
    const refused = { ...reject('RATE_LIMITED'), retryAfterSeconds: 10 };
    for (const { edit } of [...nodes, processOn(log)]) assert.deepEqual(await edit('too many', 0), refused);
  });

  it('begins as one event, which is read once', async () => {
    const { read, streams } = processOn(await editedMessage(0));
    await streams.caughtUp(messageStream(message), messages);
    assert.equal(read.events, 1);
  });

  it('is read whole where its latest event is newer than this program', async () => {
    const log = await editedMessage(3);
    const json = Buffer.from('{}');
    const foreign = {
      id: 'b5f0b2a6-4f0e-5d53-9b0c-0a8f7d5e1c11',
      type: 'messages.Unknown.v1',
      data: json,
      metadata: json,
    };
    await log.append(messageStream(message), [foreign], 'any');
    const { state } = await processOn(log).streams.caughtUp(messageStream(message), messages);
    assert.equal(state.status === 'alive' && state.text, '3');
  });
});

const noStreams = () => processOn(memoryEventLog({ now })).streams;
const folded = (state: unknown) => ({ state, revision: 0n, position: 1n, fresh: false });

describe('remembered states', () => {
  it('are as many as take a bounded memory, those used last', () => {
    const { remember, remembered } = noStreams();
    const state = { text: 'x'.repeat(1_000_000) };
    const fitting = Math.floor(foldedBytesMax / heldBytes(state));
    assert.ok(fitting < foldedStatesMax / 100);
    for (let stream = 0; stream < fitting; stream += 1) remember(stream.toString(), folded(state));
    remember('0', folded(state));
    remember('one more', folded(state));
    assert.deepEqual([remembered('0') !== undefined, remembered('1')], [true, undefined]);
  });

  it('count what they have grown to', () => {
    const { remember, remembered } = noStreams();
    remember('other', folded({ text: 'x'.repeat(0.4 * foldedBytesMax) }));
    // By as much as an event may bring, each time, until both are more than there may be.
    for (let text = ''; text.length < 0.45 * foldedBytesMax; text += 'x'.repeat(60_000))
      remember('growing', folded({ text }));
    assert.notEqual(remembered('growing'), undefined);
    assert.equal(remembered('other'), undefined);
  });
});
