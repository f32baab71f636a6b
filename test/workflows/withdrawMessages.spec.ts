import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { messages } from '../../src/domain/messages/decide.js';
import { theSystem, type MessageEvent } from '../../src/domain/messages/events.js';
import { channelChat } from '../../src/kernel/chat.js';
import { readEvents } from '../../src/kernel/codec.js';
import type { EventOf, Position } from '../../src/kernel/event.js';
import { executor } from '../../src/kernel/execute.js';
import type { ChannelId, CommunityId, MessageId, Millis, UserId } from '../../src/kernel/ids.js';
import { KeyDestroyed } from '../../src/kernel/ports/sealer.js';
import type { StoredEvent } from '../../src/kernel/ports/eventLog.js';
import { startWorkflow } from '../../src/workflows/runner.js';
import { withdrawMessages } from '../../src/workflows/withdrawMessages.js';
import { kernelInMemory, type Kernel } from '../support/house/kernel.js';
import type { Bare } from '../support/bare.js';
import { needsOn } from './needs.js';

const chat = channelChat(100n as CommunityId, 201n as ChannelId);
const by = 1n as UserId;

const send = async ({ execute, log }: Kernel, message: bigint, asOf?: Position): Promise<Position> => {
  const data = { message: message as MessageId, chat, by, text: 'hi', entities: [], mentions: [] };
  const cause = { commandId: `send ${message.toString()}`, correlationId: 'test' };
  await execute(messages, { type: 'SendMessage', data }, asOf === undefined ? cause : { ...cause, asOf: () => asOf });
  return log.end();
};

const deletions = async ({
  log,
  codec,
  sealer,
}: Kernel): Promise<readonly Bare<EventOf<MessageEvent, 'MessageDeleted'>>['data'][]> => {
  const stored = (await log.readAll({ limit: 100 })).filter((one) => codec.factOf(one) === 'MessageDeleted');
  const events = await readEvents(codec, sealer, stored);
  // These are the events of that type.
  return events.map(({ data }) => data as Bare<EventOf<MessageEvent, 'MessageDeleted'>>['data']);
};

/** Runs it over the log as it is. */
const workedThrough = async (kernel: Kernel, refused: readonly bigint[], end: Position): Promise<readonly bigint[]> => {
  const judged: bigint[] = [];
  const reached: Position[] = [];
  const workflow = withdrawMessages({
    ...{ log: kernel.log, codec: kernel.codec, sealer: kernel.sealer },
    isRefused: ({ data: { message } }) => {
      judged.push(message);
      return Promise.resolve(refused.includes(message));
    },
    reached: (position) => void reached.push(position),
  });
  const running = startWorkflow(workflow, needsOn(kernel));
  while ((running.position() ?? 0n) < end) await new Promise(setImmediate);
  await running.stop();
  assert.equal(reached.length, judged.length, 'the fan-out is waited for');
  return judged;
};

describe('withdrawMessages', () => {
  it('deletes a message that is refused, once, in the name of the server, and no other one', async () => {
    const kernel = await kernelInMemory();
    await send(kernel, 5n, 0n);
    const end = await send(kernel, 6n, 0n);
    await workedThrough(kernel, [5n], end);
    const deleted = { message: 5n, chat, author: by, by: theSystem, because: 'rightLost' };
    assert.deepEqual(await deletions(kernel), [deleted]);
    await workedThrough({ ...kernel, store: (await kernelInMemory()).store }, [5n], end);
    assert.deepEqual(await deletions(kernel), [deleted], 'met again after a crash, it is done already');
  });

  it('goes on where the key is destroyed that an edit would be taken back with', async () => {
    const kernel = await kernelInMemory();
    await send(kernel, 5n, 0n);
    const content = { text: 'late', entities: [], mentions: [], keepsText: false };
    const data = { message: 5n as MessageId, chat, by, at: 0 as Millis, content };
    const cause = { commandId: 'edit', correlationId: 'test', asOf: () => 0n };
    await kernel.execute(messages, { type: 'EditMessage', data }, cause);
    const end = await kernel.log.end();
    let tries = 0;
    const write = (): never => {
      tries += 1;
      throw new KeyDestroyed('author.1.202601');
    };
    const { ids, log, sealer, streams } = kernel;
    const clock = { now: kernel.now };
    const execute = executor({ ids, log, sealer, streams, clock, codec: { ...kernel.codec, write } });
    const isEdit = ({ type }: { readonly type: string }): boolean => type === 'MessageEdited';
    const workflow = withdrawMessages({
      ...{ log, codec: kernel.codec, sealer },
      isRefused: (event) => Promise.resolve(isEdit(event)),
      reached: () => undefined,
    });
    const running = startWorkflow(workflow, needsOn(kernel, { execute }));
    while ((running.position() ?? 0n) < end) await new Promise(setImmediate);
    await running.stop();
    assert.ok(tries > 0, 'it was not tried');
    assert.equal(await log.end(), end);
  });

  it('leaves messages alone that do not say as of when they were decided', async () => {
    const kernel = await kernelInMemory();
    const end = await send(kernel, 5n);
    assert.deepEqual(await workedThrough(kernel, [5n], end), []);
    assert.deepEqual(await deletions(kernel), []);
  });

  it('opens no message that does not say so', async () => {
    const kernel = await kernelInMemory();
    await send(kernel, 5n);
    const end = await send(kernel, 6n, 0n);
    const opened: string[] = [];
    const codec = {
      ...kernel.codec,
      read: (stored: StoredEvent) => (opened.push(stored.stream), kernel.codec.read(stored)),
    };
    assert.deepEqual(await workedThrough({ ...kernel, codec }, [], end), [6n]);
    assert.deepEqual(opened, ['message-6']);
  });
});
