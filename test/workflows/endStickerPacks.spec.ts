import assert from 'node:assert/strict';
import { it } from 'node:test';
import { communities } from '../../src/domain/communities/decide.js';
import { stickerPacks } from '../../src/domain/stickers/decide.js';
import { stickerPackStream } from '../../src/domain/stickers/events.js';
import { isRejection } from '../../src/kernel/decider.js';
import type { ChannelId, CommunityId, FileId, StickerPackId, UserId } from '../../src/kernel/ids.js';
import { endStickerPacks } from '../../src/workflows/endStickerPacks.js';
import { startWorkflow } from '../../src/workflows/runner.js';
import { kernelInMemory, type Kernel } from '../support/house/kernel.js';
import { needsOn } from './needs.js';

const ada = 1n as UserId;
const emoji = 5n as FileId;

let commands = 0;
const cause = (what: string) => ({ commandId: `${what} ${(commands += 1).toString()}`, correlationId: 'test' });

const founded = async ({ execute }: Kernel, community: CommunityId): Promise<void> => {
  const founding = { community, general: (community + 1n) as ChannelId, name: 'Chess', by: ada };
  await execute(communities, { type: 'CreateCommunity', data: founding }, cause('found'));
};
const deleted = async ({ execute }: Kernel, community: CommunityId): Promise<void> => {
  await execute(communities, { type: 'DeleteCommunity', data: { community, by: ada } }, cause('delete'));
};
const add = ({ execute }: Kernel, community: CommunityId) => {
  const picture = { emoji, key: '', mimetype: 'image/png', bytes: 5, width: 1, height: 1, animated: false };
  const data = { community, newPack: 7n as StickerPackId, uploader: ada, name: 'wave', ...picture };
  return execute(stickerPacks, { type: 'AddStickerToPack', data }, cause('add'));
};

it('a pack ends with its community, and one that never was stays so', async () => {
  const kernel = await kernelInMemory();
  const [without, community] = [100n as CommunityId, 200n as CommunityId];
  for (const one of [without, community]) await founded(kernel, one);
  await add(kernel, community);
  for (const one of [without, community]) await deleted(kernel, one);
  const running = startWorkflow(endStickerPacks(kernel), needsOn(kernel));
  for await (const batch of kernel.log.subscribe(0n)) {
    if (batch.some((stored) => kernel.codec.factOf(stored) === 'StickerPackEnded')) break;
  }
  await running.stop();
  const late = await add(kernel, community);
  assert.equal(isRejection(late) && late.rejected, 'STICKER_PACK_NOT_FOUND');
  assert.deepEqual(await kernel.log.readStream(stickerPackStream(without), { limit: 1 }), []);
});

it('a pack that begins behind the deletion of its community ends', async () => {
  const kernel = await kernelInMemory();
  const community = 300n as CommunityId;
  await founded(kernel, community);
  await deleted(kernel, community);
  const running = startWorkflow(endStickerPacks(kernel), needsOn(kernel));
  while ((running.position() ?? 0n) < (await kernel.log.end())) await new Promise(setImmediate);
  await add(kernel, community);
  const deadline = Date.now() + 5_000;
  let facts: readonly (string | undefined)[] = [];
  while (facts.length < 2 && Date.now() < deadline) {
    await new Promise(setImmediate);
    const stored = await kernel.log.readStream(stickerPackStream(community), { from: 0n, limit: 5 });
    facts = stored.map(kernel.codec.factOf);
  }
  await running.stop();
  assert.deepEqual(facts, ['EmojiAdded', 'StickerPackEnded']);
});
