import assert from 'node:assert/strict';
import { it } from 'node:test';
import { lmdbEventLog } from '../../src/adapters/eventLog/lmdb.js';
import { communityEvents } from '../../src/domain/communities/events.js';
import { messageEvents } from '../../src/domain/messages/events.js';
import { foldersIn } from '../../src/engines.js';
import { storedType } from '../../src/kernel/codec.js';
import type { Millis, RoleId } from '../../src/kernel/ids.js';
import { permission } from '../../src/kernel/permissions.js';
import { testServer } from '../support/server.js';
import { found, inChannel, join, say, type Town } from './places.js';
import { signUp, type Seat } from './seat.js';

const rounds = 20;
const sendsPerRound = 20;

/** Denies everybody to send in the channel, or denies nothing any more. */
const deny = (owner: Seat, { community: communityId, general: channelId }: Town, neg: bigint) =>
  owner.do('communitiesCreateChannelOverride', {
    communityId,
    channelId,
    roleId: 0n as RoleId,
    permissions: { pos: 0n, neg },
  });

/** In log order: whether sending is denied from here on, or a message was sent. Of a server that has stopped. */
const story = async (dataDir: string): Promise<readonly ('denied' | 'allowed' | 'sent')[]> => {
  const log = await lmdbEventLog({ folder: foldersIn(dataDir).log, now: () => 0 as Millis });
  const stored = await log.readAll({ limit: 10_000 });
  await log.close();
  const told: ('denied' | 'allowed' | 'sent')[] = [];
  for (const { type, data } of stored) {
    if (type === storedType(messageEvents.MessageSent)) told.push('sent');
    // Each override that is stored has its bits.
    const { neg } = JSON.parse(Buffer.from(data).toString()) as { readonly neg?: string };
    if (type === storedType(communityEvents.OverrideSet)) told.push(neg === '0' ? 'allowed' : 'denied');
  }
  return told;
};

it('a message that meets a ban within milliseconds is before it in the log, or is not sent', async (t) => {
  const server = await testServer();
  t.after(() => server.remove());
  const [owner, guest] = [await signUp(server.url, 'Owner'), await signUp(server.url, 'Guest')];
  const town = await found(owner, 'Town');
  await join(owner, town, guest);
  await say(guest, inChannel(town.community, town.general), 'hello');
  for (let round = 0; round < rounds; round += 1) {
    const chatRef = inChannel(town.community, town.general);
    const sends = Array.from({ length: sendsPerRound }, () =>
      guest.ask('messagesSendMessage', { chatRef, message: 'hi' }),
    );
    await deny(owner, town, permission.sendMessages);
    await Promise.all(sends);
    await deny(owner, town, 0n);
  }
  await server.close();
  const told = await story(server.dataDir);
  let isDenied = false;
  for (const what of told) {
    assert.ok(!(isDenied && what === 'sent'), 'a message was sent after the right was gone');
    if (what !== 'sent') isDenied = what === 'denied';
  }
  assert.equal(told.filter((what) => what === 'denied').length, rounds);
  // Some were in time and some were not, or nothing has met.
  const sent = told.filter((what) => what === 'sent').length;
  assert.ok(sent > 1 && sent < 1 + rounds * sendsPerRound, `${sent.toString()} were sent`);
});
