import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join as pathOf } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { testServer, type TestServer } from '../../support/server.js';
import { createChannel, found, inChannel, inviteTo, join, say } from '../../system/places.js';
import { signUp, type Seat } from '../../system/seat.js';
import { png } from '../../gateway/packages/stickers/emoji.js';
import { program, withoutLibrary, type Program } from './library.js';
import { roomFor, tell, uploaded, type Room } from './rooms.js';

/** A program that does not come to its end is noticed by this. */
const millisMax = 60_000;

/** Methods whose RPC is not served, and what they are told. */
const notServed = {
  'Channel.sync_overrides': '501',
  'Channel.fetch_members': '501',
  'Community.edit': '501',
  'Community.add_member': '501',
  'Channel.fetch_members, directly': '501',
  'Channel.add_member': '501',
  'Channel.edit_member': '501',
  'Channel.remove_member': '501',
  'Channel.get_invites': '501',
};

const [itself, calledBack, below] = ['runs the bot', 'is called by the library', 'is below methods that are called'];
/** Public coroutines that are not called, and why. */
const notCalled: Readonly<Record<string, string>> = {
  ...{ 'Client.connect': itself, 'Bot.connect': itself, 'Bot.dispatch': itself },
  ...{ 'Bot.process_commands': calledBack, 'Bot.process_interaction': calledBack },
  ...{ 'Button.on_interaction': calledBack, 'ClipboardButton.on_interaction': calledBack },
  ...{ 'LinkButton.on_interaction': calledBack, 'Command.invoke': calledBack },
  ...{ 'Command.parse_arguments': calledBack, 'Parameter.resolve': calledBack },
  ...{ 'Client.request': below, 'Client.send_pb': below },
  ...{ 'Client.upload_emoji_image': below, 'Client.upload_file': below },
  'ChatMember.edit': 'Channel.fetch_members is not served, so there is none',
  'ChatMember.remove': 'Channel.fetch_members is not served, so there is none',
  'Invite.delete': 'Channel.get_invites is not served, so there is none',
};

/** What the program says of itself besides. */
const refused = { 'Interaction.respond, again': '404' };

describe('the library for Python', { skip: withoutLibrary, timeout: millisMax }, () => {
  let server: TestServer;
  let ada: Seat;
  let room: Room;
  let both: Program;
  before(async () => {
    server = await testServer();
    ada = await signUp(server.url, 'Ada');
    room = await roomFor(server, ada, 'Workshop');
    const bob = await signUp(server.url, 'Bob');
    await bob.do('settingsEditProfile', { username: 'bob', bio: 'likes Python' });
    await bob.do('settingsEditProfilePhoto', { file: await uploaded(bob, 'me.png', png) });
    await bob.do('settingsEditProfileBanner', { file: await uploaded(bob, 'banner.png', png) });
    await join(ada, room.town, bob);
    await createChannel(ada, room.community, { name: 'elsewhere' });
    const picture = pathOf(server.dataDir, 'picture.png');
    writeFileSync(picture, png);
    const environment = { URL: server.url, BOT: room.token, PERSON: ada.token, PICTURE: picture };
    both = program('methods.py', { cwd: server.dataDir, environment });
    for (const name of ['bot', 'person']) await both.line(({ bot, connected }) => bot === name && connected === true);
  });
  after(async () => {
    both.stop();
    await server.remove();
  });

  const outcome = async (name: string): Promise<string | undefined> =>
    (await both.line(({ method }) => method === name)).outcome;

  it('has each of its requests answered', async () => {
    const elsewhere = await found(ada, 'Elsewhere');
    const file = { name: 'given.txt', data: Buffer.from('given by Ada') };
    await tell(ada, room.chatRef, `!try @bob ${await inviteTo(ada, elsewhere)}`, { file });
    const end = await both.line(({ method, failed }) => method === '!try' || failed !== undefined);
    assert.deepEqual(end, { method: '!try', outcome: 'done' });
    await ada.update(
      ({ communityMemberCreated: one }) => one?.memberId === room.bot && one.communityId === elsewhere.community,
    );
    assert.equal(await outcome('Button.submit, answer to Own'), `pressed by ${ada.user.toString()}`);
    assert.equal(await outcome('Button.submit, answer to Forgotten'), "nobody's");
    assert.equal(await outcome('Interaction.respond, again'), '404');
  });

  it('has a community deleted by its owner', async () => {
    const doomed = await found(ada, 'Doomed');
    await say(ada, inChannel(doomed.community, doomed.general), 'the end');
    await ada.update(({ communityDeleted }) => communityDeleted?.communityId === doomed.community);
  });

  it('has each of its public coroutines called, but for a few', async () => {
    await outcome('Community.delete');
    const { methods = [] } = await both.line((line) => line.methods !== undefined);
    const called = new Set(both.lines().map(({ method = '' }) => method.replace(/[, ].*$/, '')));
    assert.deepEqual(methods.filter((method) => !called.has(method)).sort(), Object.keys(notCalled).sort());
  });

  it('is refused what is not served, and nothing else', () => {
    const told = both.lines().filter(({ method, outcome: of }) => method !== undefined && of !== 'done');
    const refusals = Object.fromEntries(told.map(({ method = '', outcome: of }) => [method, of]));
    const answers = Object.entries(refusals).filter(([method]) => method.startsWith('Button.submit, answer'));
    assert.deepEqual(refusals, { ...notServed, ...refused, ...Object.fromEntries(answers) });
    assert.deepEqual(
      both.lines().filter(({ level }) => level === 'ERROR'),
      [],
    );
  });
});
