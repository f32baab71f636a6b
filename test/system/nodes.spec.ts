import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { databaseIn } from '../../src/adapters/mongo/connection.js';
import type { Update } from '../../src/gen/updates.js';
import { partsOf, type MessageId } from '../../src/kernel/ids.js';
import { nodeLease } from '../../src/kernel/nodeNumber.js';
import { permission } from '../../src/kernel/permissions.js';
import { collections } from '../../src/projections/registry.js';
import { projectionsLease } from '../../src/projections/runner/runner.js';
import { searchLease } from '../../src/projections/search/searchIndex.js';
import { onNodes, startNodes, type Node, type Nodes } from '../support/deployments.js';
import { generationsAt } from '../support/generations.js';
import { withMongo } from '../support/mongoServer.js';
import { everythingIn, isGone, isOnline, isText, pair, readiness } from './nodes.js';
import { createChannel, found, inChannel, join, say, withUser, type Town } from './places.js';
import { outcomeOf, resume, signUp, type Seat } from './seat.js';
import { everybody } from './townsfolk.js';

onNodes('two nodes', () => {
  let nodes: Nodes;
  let here: Node;
  let there: Node;
  let owner: Seat;
  let guest: Seat;
  let town: Town;
  before(async () => {
    nodes = await startNodes(2);
    [here, there] = pair(nodes);
    owner = await signUp(here.url, 'Owner');
    guest = await signUp(there.url, 'Guest');
    town = await found(owner, 'Town');
    await join(owner, town, guest);
  });
  after(() => nodes.remove());

  it('made once what they share, though both were the first', async () => {
    const url = nodes.environment['OSMIUM_DOCUMENTS'] ?? '';
    const [generation, ...others] = await generationsAt(url).list();
    assert.ok(generation);
    assert.deepEqual(others, []);
    const prefix = `generation.${generation.name}.`;
    await withMongo(async (client) => {
      const database = client.db(databaseIn(url));
      const leases = await database.collection('osmium.leases').find().sort({ _id: 1 }).toArray();
      assert.deepEqual([...new Set(leases.map(({ fence }) => Number(fence)))], [1]);
      const names = leases.map(({ _id }) => String(_id)).filter((name) => !name.startsWith('workflow.'));
      const searching = names.filter((name) => name.startsWith(searchLease('')));
      assert.equal(searching.length, 1);
      const rest = names.filter((name) => !searching.includes(name));
      assert.deepEqual(rest, ['files', nodeLease(0), nodeLease(1), projectionsLease(generation.name), 'sessionDays']);
      for (const { name, indexes } of collections) {
        const made = await database.collection(prefix + name).indexes();
        assert.deepEqual(made.map((index) => String(index.name)).sort(), ['_id_', ...indexes].sort());
      }
    });
  });

  it('have different numbers in their ids, and one of them projects', async () => {
    const [one, other] = [await readiness(here), await readiness(there)];
    assert.deepEqual([one.ready, other.ready], [true, true]);
    assert.deepEqual([one.otherNodes, other.otherNodes], ['ok', 'ok']);
    assert.notEqual(one.node, other.node);
    assert.deepEqual([one.role, other.role].sort(), ['follows', 'projects']);
    const general = inChannel(town.community, town.general);
    const ids = [await say(owner, general, 'from here'), await say(guest, general, 'from there')];
    assert.deepEqual(
      ids.map((id) => partsOf(id).node),
      [one.node, other.node],
    );
  });

  it('open a session that began on the other one, the moment it was answered', async () => {
    for (let count = 0; count < 20; count += 1) {
      const fresh = await signUp(here.url, 'Fresh');
      const again = await resume(there.url, fresh.token);
      assert.equal(again.user, fresh.user);
      await Promise.all([fresh.raw.leave(), again.raw.leave()]);
    }
  });

  it('read what was written on the other one, once the connection that wrote it is followed by one here', async () => {
    for (let count = 0; count < 10; count += 1) {
      const name = `Village ${count.toString()}`;
      await owner.do('communitiesCreateCommunity', { name });
      const again = await resume(there.url, owner.token);
      const { communities } = await again.do('communitiesGetCommunities', {});
      assert.ok(communities.some((one) => one.name === name));
      await again.raw.leave();
    }
  });

  it('ask the rules as they are after what was done on the other one', async () => {
    const { community: communityId } = town;
    const leaver = await signUp(here.url, 'Leaver');
    await join(owner, town, leaver);
    await leaver.do('communitiesLeaveCommunity', { communityId });
    const again = await resume(there.url, leaver.token);
    assert.equal(outcomeOf(await again.ask('communitiesGetChannels', { communityId })), 404);
    await Promise.all([leaver.raw.leave(), again.raw.leave()]);
  });

  it('hide a channel that was hidden on the other one from the event on that says so', async () => {
    const { community: communityId } = town;
    const channelId = await createChannel(owner, communityId, { name: 'square' });
    await guest.update(({ channel }) => channel?.channel?.id === channelId);
    const chatRef = inChannel(communityId, channelId);
    await say(owner, chatRef, 'before');
    await guest.update(isText('before'));
    const permissions = { neg: permission.viewChannel };
    await owner.do('communitiesCreateChannelOverride', { communityId, channelId, roleId: everybody, permissions });
    await say(owner, chatRef, 'after');
    await say(owner, inChannel(communityId, town.general), 'later');
    await guest.update(isText('later'));
    assert.equal(guest.updates().some(isText('after')), false);
    assert.equal(outcomeOf(await guest.ask('messagesGetHistory', { chatRef })), 404);
  });

  it('close a session that was revoked on the other one, once it was told', async () => {
    const victim = await signUp(there.url, 'Victim');
    const same = await resume(here.url, victim.token);
    await same.do('authRevokeSessions', { sessionIds: [victim.session] });
    assert.equal(await victim.raw.closed, 1008);
    assert.deepEqual(victim.raw.received.at(-1)?.update, { sessionDeleted: { sessionId: victim.session } });
  });

  it('tell each other who is typing and who is online', async () => {
    await say(owner, withUser(guest), 'hello');
    await guest.update(isText('hello'));
    await owner.do('chatsSetTyping', { chatRef: inChannel(town.community, town.general), typing: true });
    const { chatTyping } = await guest.update((update) => update.chatTyping?.userId === owner.user);
    assert.equal(chatTyping?.typing, true);
    const comer = await signUp(here.url, 'Comer');
    await join(owner, town, comer);
    await comer.raw.leave();
    const gone = await guest.update(isGone(comer));
    const back = await resume(here.url, comer.token);
    const isLater = (update: Update): boolean => guest.updates().indexOf(update) > guest.updates().indexOf(gone);
    await guest.update((update) => isOnline(comer)(update) && isLater(update));
    await back.raw.leave();
  });
});

const sendsMax = 1_000;
const takenOverMillisMax = 10_000;
/** The lifetime of a node in Redis, a quarter more, and a second for the rest. */
const offlineMillisMax = 30_000;

onNodes('a node that is killed during a thousand sends', () => {
  let nodes: Nodes;
  before(async () => {
    nodes = await startNodes(2);
  });
  after(() => nodes.remove());

  it('takes nothing with it: the other goes on, takes over, and shows its users as gone', async () => {
    const [one, other] = pair(nodes);
    const projects = (await readiness(one)).role === 'projects';
    const [dying, left] = projects ? [one, other] : [other, one];
    const survivor = await signUp(left.url, 'Survivor');
    const orphan = await signUp(dying.url, 'Orphan');
    const town = await found(survivor, 'Town');
    await join(survivor, town, orphan);
    const chatRef = inChannel(town.community, town.general);

    const acknowledged = new Set<MessageId>();
    const texts = new Map<string, number>();
    const send = async (seat: Seat, message: string): Promise<void> => {
      acknowledged.add((await seat.do('messagesSendMessage', { chatRef, message })).messageId);
      if (acknowledged.size === sendsMax / 4) dying.process.kill('SIGKILL');
    };
    let lost = 0;
    const all = Array.from({ length: sendsMax }, async (_, index) => {
      const seat = index % 2 === 0 ? survivor : orphan;
      const waiting = send(seat, index.toString());
      // What the dead node did not answer may be there or not, once at most.
      await (seat === survivor ? waiting : Promise.race([waiting, orphan.raw.closed.then(() => (lost += 1))]));
    });
    await Promise.all(all);
    const killedAt = performance.now();
    assert.ok(lost > 0, 'the node was killed too late');
    assert.ok(acknowledged.size >= sendsMax / 2 + 1);

    const reader = await resume(left.url, orphan.token);
    const stored = await everythingIn(reader, town);
    const tookMillis = performance.now() - killedAt;
    assert.equal((await readiness(left)).role, 'projects');
    assert.ok(tookMillis < takenOverMillisMax, `taken over after ${tookMillis.toFixed()} ms`);
    assert.equal(new Set(stored).size, stored.length);
    const kept = new Set(stored);
    assert.deepEqual(
      [...acknowledged].filter((id) => !kept.has(id)),
      [],
    );
    for (const { messageCreated } of survivor.updates()) {
      const text = messageCreated?.message?.message;
      if (text === undefined) continue;
      texts.set(text, (texts.get(text) ?? 0) + 1);
    }
    assert.deepEqual(
      [...texts].filter(([, times]) => times > 1),
      [],
    );
    await reader.raw.leave();
    await survivor.update(isGone(orphan));
    assert.ok(performance.now() - killedAt < offlineMillisMax + takenOverMillisMax);
  });
});

const pausedMillis = 20_000;

onNodes('a node that stands still while it projects', () => {
  let nodes: Nodes;
  before(async () => {
    nodes = await startNodes(2);
  });
  after(() => nodes.remove());

  it('is followed by the other, follows it when it goes on, and neither loses nor doubles anything', async () => {
    const [one, other] = pair(nodes);
    const projects = (await readiness(one)).role === 'projects';
    const [still, left] = projects ? [one, other] : [other, one];
    const owner = await signUp(left.url, 'Owner');
    const town = await found(owner, 'Town');
    const chatRef = inChannel(town.community, town.general);
    const guest = await signUp(still.url, 'Guest');
    await join(owner, town, guest);
    const sent: MessageId[] = [await say(owner, chatRef, 'before')];

    still.process.kill('SIGSTOP');
    const goesOn = setTimeout(() => {
      still.process.kill('SIGCONT');
    }, pausedMillis);
    const stoppedAt = performance.now();
    // Under way at the one that stands still: it may come to pass, once.
    const late = guest.ask('messagesSendMessage', { chatRef, message: 'late' });
    sent.push(await say(owner, chatRef, 'meanwhile'));
    const reader = await resume(left.url, owner.token);
    assert.deepEqual(await everythingIn(reader, town), sent);
    assert.ok(performance.now() - stoppedAt < takenOverMillisMax);
    assert.equal((await readiness(left)).role, 'projects');

    await late;
    clearTimeout(goesOn);
    // It answered `late`, so it has gone on. It has a number as soon as it is ready again.
    let report = await readiness(still);
    while (!report.ready) report = await readiness(still);
    assert.equal(report.role, 'follows');
    assert.notEqual(report.node, (await readiness(left)).node);
    const back = await resume(still.url, guest.token);
    sent.push(await say(back, chatRef, 'after'));
    for (const { url } of [still, left]) {
      const seen = await resume(url, guest.token);
      const ids = await everythingIn(seen, town);
      assert.equal(new Set(ids).size, ids.length);
      assert.deepEqual(
        sent.filter((id) => !ids.includes(id)),
        [],
      );
      // All but the one that was under way.
      assert.ok(ids.length - sent.length <= 1);
    }
  });
});
