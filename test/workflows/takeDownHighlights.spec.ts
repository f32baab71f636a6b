import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { communities } from '../../src/domain/communities/decide.js';
import type { CommunityEvent } from '../../src/domain/communities/events.js';
import { messages } from '../../src/domain/messages/decide.js';
import { channelChat, directChat } from '../../src/kernel/chat.js';
import { readEvents } from '../../src/kernel/codec.js';
import type { EventOf, Position } from '../../src/kernel/event.js';
import type { ChannelId, CommunityId, MessageId, UserId } from '../../src/kernel/ids.js';
import { allPermissions } from '../../src/kernel/permissions.js';
import { startWorkflow, type WorkflowNeeds } from '../../src/workflows/runner.js';
import { takeDownHighlights } from '../../src/workflows/takeDownHighlights.js';
import { kernelInMemory, type Kernel } from '../support/house/kernel.js';
import type { Bare } from '../support/bare.js';
import { needsOn } from './needs.js';

const ada = 1n as UserId;
const bob = 2n as UserId;
const community = 100n as CommunityId;
const channel = 201n as ChannelId;
const general = channelChat(community, channel);
const highlighted = 5n as MessageId;

/** A community whose channel highlights a message. */
const highlighting = async (): Promise<Kernel> => {
  const kernel = await kernelInMemory();
  const by = { user: ada, permissions: allPermissions, rank: Infinity };
  const founding = { community, general: channel, name: 'Chess', by: ada };
  await kernel.execute(communities, { type: 'CreateCommunity', data: founding }, cause('found'));
  const edit = { community, channel, by, at: kernel.now(), highlighted };
  await kernel.execute(communities, { type: 'EditChannel', data: edit }, cause('highlight'));
  return kernel;
};

let commands = 0;
const cause = (what: string) => ({ commandId: `${what} ${(commands += 1).toString()}`, correlationId: 'test' });

/** Sends a message and deletes it again. */
const deleted = async ({ execute }: Kernel, message: MessageId, chat = general, by = ada): Promise<void> => {
  const sent = { message, chat, by: ada, text: 'hello', entities: [], mentions: [] };
  await execute(messages, { type: 'SendMessage', data: sent }, cause('send'));
  await execute(
    messages,
    { type: 'DeleteMessage', data: { message, chat, by, mayDeleteOthers: true } },
    cause('delete'),
  );
};

/** The first that is taken down, once it is. */
const takenDown = async ({
  log,
  codec,
  sealer,
}: Kernel): Promise<Bare<EventOf<CommunityEvent, 'HighlightCleared'>>> => {
  for await (const batch of log.subscribe(0n)) {
    const cleared = batch.filter((stored) => codec.factOf(stored) === 'HighlightCleared');
    const [first] = (await readEvents(codec, sealer, cleared)) as readonly EventOf<
      Bare<CommunityEvent>,
      'HighlightCleared'
    >[];
    if (first !== undefined) return first;
  }
  throw new Error('the log was closed');
};

/** Others in the same channel, in a direct chat, and in a community that is gone. */
const deleteOthers = async (kernel: Kernel): Promise<void> => {
  await deleted(kernel, 6n as MessageId);
  await deleted(kernel, 7n as MessageId, directChat(ada, bob));
  await deleted(kernel, 8n as MessageId, channelChat(999n as CommunityId, channel));
};

describe('takeDownHighlights', () => {
  it('takes a message down once it is deleted, in the name of who did it, and none when others are', async () => {
    const kernel = await highlighting();
    await deleteOthers(kernel);
    await deleted(kernel, highlighted, general, bob);
    const running = startWorkflow(takeDownHighlights, needsOn(kernel));
    assert.deepEqual((await takenDown(kernel)).data, { community, channel, by: bob });
    await running.stop();
  });

  it('keeps where it is only where it did something', async () => {
    const kernel = await highlighting();
    await deleteOthers(kernel);
    await deleted(kernel, highlighted);
    const end = await kernel.log.end();
    const kept: (Position | undefined)[] = [];
    const { checkpoint, commit } = kernel.store;
    const documents: WorkflowNeeds['documents'] = {
      checkpoint,
      commit: (writes, checkpoints) => {
        kept.push(checkpoints[0]?.position);
        return commit(writes, checkpoints);
      },
    };
    const running = startWorkflow(takeDownHighlights, needsOn(kernel, { documents }));
    await takenDown(kernel);
    await running.stop();
    assert.equal(kept[0], end);
  });
});
