import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventStoreDbEventLog } from '../../src/adapters/eventLog/eventStoreDb.js';
import { lmdbEventLog } from '../../src/adapters/eventLog/lmdb.js';
import { communityEvents } from '../../src/domain/communities/events.js';
import { messageEvents } from '../../src/domain/messages/events.js';
import { foldersIn } from '../../src/engines.js';
import { storedType } from '../../src/kernel/codec.js';
import type { Millis, RoleId } from '../../src/kernel/ids.js';
import { permission } from '../../src/kernel/permissions.js';
import type { EventLog } from '../../src/kernel/ports/eventLog.js';
import { onNodes, startNodes } from '../support/deployments.js';
import { testServer } from '../support/server.js';
import { everythingIn, pair } from './nodes.js';
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

/** The guest sends while the owner takes the right away, again and again. */
const race = async (owner: Seat, guest: Seat, town: Town): Promise<void> => {
  const chatRef = inChannel(town.community, town.general);
  await say(guest, chatRef, 'hello');
  for (let round = 0; round < rounds; round += 1) {
    const send = () => guest.ask('messagesSendMessage', { chatRef, message: 'hi' });
    const sends = Array.from({ length: sendsPerRound }, send);
    await deny(owner, town, permission.sendMessages);
    await Promise.all(sends);
    await deny(owner, town, 0n);
  }
};

/** Messages by their ids: those that were sent with the right, those sent without it, and those taken back. */
type Story = { readonly right: Set<string>; readonly wrong: Set<string>; readonly takenBack: Set<string> };

const storyIn = async (log: EventLog): Promise<Story> => {
  const story: Story = { right: new Set(), wrong: new Set(), takenBack: new Set() };
  let isDenied = false;
  for (const { type, data } of await log.readAll({ limit: 10_000 })) {
    // As the events of these types are stored.
    const stored = JSON.parse(Buffer.from(data).toString()) as { readonly message?: string; readonly neg?: string };
    const { message = '', neg } = stored;
    if (type === storedType(communityEvents.OverrideSet)) isDenied = neg !== '0';
    if (type === storedType(messageEvents.MessageSent)) (isDenied ? story.wrong : story.right).add(message);
    if (type === storedType(messageEvents.MessageDeleted)) story.takenBack.add(message);
  }
  return story;
};

it('a message that meets a ban within milliseconds is before it in the log, or is not sent', async (t) => {
  const server = await testServer();
  t.after(() => server.remove());
  const [owner, guest] = [await signUp(server.url, 'Owner'), await signUp(server.url, 'Guest')];
  const town = await found(owner, 'Town');
  await join(owner, town, guest);
  await race(owner, guest, town);
  await server.close();
  const log = await lmdbEventLog({ folder: foldersIn(server.dataDir).log, now: () => 0 as Millis });
  t.after(() => log.close());
  const { right, wrong } = await storyIn(log);
  assert.deepEqual([...wrong], [], 'a message was sent after the right was gone');
  // Some were in time and some were not, or nothing has met.
  assert.ok(right.size > 1 && right.size < 1 + rounds * sendsPerRound, `${right.size.toString()} were sent`);
});

onNodes('two nodes', () => {
  it('take back a message that meets a ban on the other one, and tell nobody of it', async (t) => {
    const nodes = await startNodes(2);
    t.after(() => nodes.remove());
    const [here, there] = pair(nodes);
    const [owner, guest] = [await signUp(here.url, 'Owner'), await signUp(there.url, 'Guest')];
    const town = await found(owner, 'Town');
    await join(owner, town, guest);
    await race(owner, guest, town);
    const log = await eventStoreDbEventLog({ connectionString: nodes.environment['OSMIUM_EVENT_LOG'] ?? '' });
    t.after(() => log.close());
    const { right, wrong } = await storyIn(log);
    assert.ok(wrong.size > 0, 'nothing has met');
    // The workflow is a moment behind; the owner is told of each deletion.
    for (const id of wrong) {
      await owner.update(
        ({ messageDeleted }) => messageDeleted?.messageIds.some((one) => one.toString() === id) ?? false,
      );
    }
    const { takenBack } = await storyIn(log);
    assert.deepEqual([...takenBack].sort(), [...wrong].sort());
    const told = owner.updates().flatMap(({ messageCreated }) => messageCreated?.message?.messageId.toString() ?? []);
    assert.deepEqual(told.sort(), [...right].sort());
    assert.deepEqual((await everythingIn(owner, town)).map(String).sort(), [...right].sort());
  });
});
