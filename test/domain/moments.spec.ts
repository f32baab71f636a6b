import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryEventLog } from '../../src/adapters/eventLog/memory.js';
import { systemIds } from '../../src/adapters/system/ids.js';
import { communities } from '../../src/domain/communities/decide.js';
import { members } from '../../src/domain/members/decide.js';
import { mintedIds } from '../../src/domain/mintedIds.js';
import type { ReadCommand } from '../../src/domain/reads/commands.js';
import { reads } from '../../src/domain/reads/decide.js';
import { eventKinds } from '../../src/domain/registry.js';
import { eventCodec } from '../../src/kernel/codec.js';
import { executor } from '../../src/kernel/execute.js';
import { foldedStreams } from '../../src/kernel/foldedStreams.js';
import { selfChat } from '../../src/kernel/chat.js';
import type { ChannelId, CommunityId, MessageId, Millis, UserId } from '../../src/kernel/ids.js';
import { plainSealer } from '../support/plainSealer.js';

const user = 1n as UserId;
const community = 100n as CommunityId;
const cause = (commandId: string) => ({ commandId, correlationId: 'c' });

/** A node whose ids count from 1. */
const setup = () => {
  const now = (): Millis => 5 as Millis;
  const log = memoryEventLog({ now });
  const sealer = plainSealer();
  const codec = eventCodec(eventKinds, sealer);
  let id = 0n;
  const ids = systemIds(() => (id += 1n));
  const streams = foldedStreams({ log, codec, sealer });
  const execute = executor({ log, codec, sealer, clock: { now }, ids, streams });
  const lastMinted = async (): Promise<bigint | undefined> => {
    const [last] = await log.readAll({ direction: 'backwards', limit: 1 });
    return last && mintedIds(last).at(-1);
  };
  return { execute, lastMinted, ids, log };
};

describe('an event', () => {
  it('of a community or a member has a moment, above all ids before', async () => {
    const { execute, lastMinted, ids } = setup();
    const before = ids.next();
    const found = { community, general: 101n as ChannelId, name: 'Chess', by: user };
    await execute(communities, { type: 'CreateCommunity', data: found }, cause('a'));
    const founded = (await lastMinted()) ?? 0n;
    const between = ids.next();
    const joining = { community, user, via: 'founding', joining: 1 } as const;
    await execute(members, { type: 'JoinCommunity', data: joining }, cause('b'));
    const joined = (await lastMinted()) ?? 0n;
    assert.ok(before < founded && founded < between && between < joined && joined < ids.next());
  });

  it('of another stream has none', async () => {
    const { execute, lastMinted } = setup();
    const data = { user, chat: selfChat(user), message: 9n as MessageId };
    const mark: ReadCommand = { type: 'MarkChatRead', data };
    await execute(reads, mark, cause('a'));
    assert.equal(await lastMinted(), undefined);
  });

  it('has none when its metadata is damaged', async () => {
    const { execute, log } = setup();
    const joining = { community, user, via: 'founding', joining: 1 } as const;
    await execute(members, { type: 'JoinCommunity', data: joining }, cause('a'));
    const [stored] = await log.readAll({ limit: 1 });
    assert.ok(stored !== undefined);
    assert.deepEqual(mintedIds({ ...stored, metadata: Buffer.from('{') }), []);
  });
});
