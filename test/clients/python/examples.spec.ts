import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join as pathOf } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ChannelType, type Message, type MessageEntityInit } from '../../../src/gen/types.js';
import type { FileId, MessageId, StickerPackId } from '../../../src/kernel/ids.js';
import { testServer, type TestServer } from '../../support/server.js';
import {
  channelNamed,
  createChannel,
  createRole,
  found,
  inChannel,
  inviteTo,
  join,
  withUser,
} from '../../system/places.js';
import { signUp, type Seat } from '../../system/seat.js';
import { png } from '../../gateway/packages/stickers/emoji.js';
import { program, withoutExamples, type Line, type Program } from './library.js';
import { messageAfter, roomFor, tell, uploaded, type Room, type Told } from './rooms.js';

const examples = [
  'hello_world',
  'messages',
  'categories',
  'channels',
  'roles',
  'invites',
  'mentions',
  'reactions',
  'files',
  'emojis',
] as const;
type Example = (typeof examples)[number];

/** A bot that does not answer is noticed by this. */
const millisMax = 60_000;

describe('an example of the library for Python', { skip: withoutExamples, timeout: millisMax }, () => {
  let server: TestServer;
  let ada: Seat;
  let rooms: Readonly<Record<Example, Room>>;
  let bots: Program;
  before(async () => {
    server = await testServer();
    ada = await signUp(server.url, 'Ada');
    await ada.do('settingsEditProfile', { username: 'ada' });
    const made: [Example, Room][] = [];
    for (const name of examples) made.push([name, await roomFor(server, ada, name)]);
    rooms = Object.fromEntries(made) as Record<Example, Room>; // Each of them has been made.
    const tokens = Object.fromEntries(made.map(([name, { token }]) => [name, token]));
    const environment = { URL: server.url, TOKENS: JSON.stringify(tokens) };
    bots = program('examples.py', { cwd: server.dataDir, environment });
    for (const name of examples) await bots.line(({ bot, connected }) => bot === name && connected === true);
  });
  after(async () => {
    bots.stop();
    await server.remove();
  });

  /** What the bot answers to a command. */
  const answer = async (example: Example, command: string, told?: Told): Promise<Message> => {
    const { bot, chatRef } = rooms[example];
    const before = bots.lines().length;
    const isNew = (line: Line): boolean => bots.lines().indexOf(line) >= before;
    const failed = bots.line((line) => line.bot === example && line.failed !== undefined && isNew(line));
    const message = messageAfter(ada, bot, await tell(ada, chatRef, command, told));
    return Promise.race([message, failed.then(({ error = '' }) => Promise.reject(new Error(`${command}: ${error}`)))]);
  };
  const says = async (example: Example, command: string, told?: Told): Promise<string> =>
    (await answer(example, command, told)).message;
  const failure = async (example: Example, command: string): Promise<string | undefined> => {
    await tell(ada, rooms[example].chatRef, `!${command}`);
    const [name] = command.split(' ');
    return (await bots.line(({ bot, failed }) => bot === example && failed === name)).error;
  };
  const logged = (text: string) => bots.line(({ log }) => log === text);
  const names = async (example: Example): Promise<readonly string[]> => {
    const { channels } = await ada.do('communitiesGetChannels', { communityId: rooms[example].community });
    return channels.map(({ name }) => name).toSorted();
  };

  it('hello_world answers in channels and in direct messages', async () => {
    const { bot } = rooms.hello_world;
    assert.equal(await says('hello_world', '!say good day'), 'good day');
    assert.equal(await says('hello_world', '!say'), "You didn't say anything!");
    assert.equal(await says('hello_world', '!community'), 'This command only works in community channels!');
    const direct = await tell(ada, withUser({ user: bot }), '!dm');
    assert.equal((await messageAfter(ada, bot, direct)).message, 'This command only works in DMs!');
    await Promise.all(['message from Ada: !dm', 'guild message: !community', 'dm message: !dm'].map(logged));
    assert.match((await failure('hello_world', 'dm')) ?? '', /dm/);
  });

  it('messages sends, formats, edits and deletes', async () => {
    assert.equal(await says('messages', '!say once more'), 'once more');
    const formatted = await answer('messages', '!markdowntest');
    assert.equal(formatted.message, 'Helloworlditaliccodecode blockstrikethroughunderlinecombined formatting');
    assert.ok(formatted.entities.length >= 9, JSON.stringify(formatted.entities.length));
    const { messageId } = await answer('messages', '!editmsg');
    await ada.update(
      ({ message }) => message?.message?.messageId === messageId && message.message.message === '(edited by the bot)',
    );
    const own = await tell(ada, rooms.messages.chatRef, '!delete');
    await ada.update(({ messageDeleted }) => messageDeleted?.messageIds.includes(own) === true);
    assert.equal(await says('messages', '!sum 1 2 39'), '42');
    assert.equal(await says('messages', '!dm'), 'hi there!');
    const mention = await answer('messages', '!whoami');
    assert.equal(mention.message, 'You are @ada!');
    assert.equal(mention.entities.length, 1);
  });

  it('categories makes, lists, fills and deletes them', async () => {
    const { community } = rooms.categories;
    assert.match(await says('categories', '!newcategory Rooms'), /^Created category "Rooms" \(id \d+\)\.$/);
    assert.match(await says('categories', '!newchannel Rooms hall'), /^Created #hall \(id \d+\) under "Rooms"\.$/);
    assert.match(await says('categories', '!categories'), /^\[Rooms\]: #hall\n\(uncategorised\): #general$/);
    await createChannel(ada, community, { name: 'lobby' });
    assert.equal(await says('categories', '!movechannel lobby Rooms'), 'Moved #lobby into "Rooms".');
    assert.equal(await says('categories', '!deletecategory Rooms'), 'Deleted "Rooms" and 2 child channel(s).');
    assert.deepEqual(await names('categories'), ['general']);
  });

  it('channels makes, renames and deletes them', async () => {
    const { community } = rooms.channels;
    assert.match(await says('channels', '!newchannel side'), /^Created #side \(id \d+\)\.$/);
    const side = await channelNamed(ada, community, 'side');
    assert.equal(await says('channels', '!rename here'), 'Renamed channel to #here.');
    assert.deepEqual(await names('channels'), ['here', 'side']);
    await tell(ada, inChannel(community, side), '!nukechannel');
    await ada.update(({ channelDeleted }) => channelDeleted?.channel?.channelId === side);
  });

  it('roles lists them, gives one and takes it', async () => {
    const { community, bot, town } = rooms.roles;
    const cleo = await signUp(server.url, 'Cleo');
    await cleo.do('settingsEditProfile', { username: 'cleo' });
    await join(ada, town, cleo);
    const friend = await createRole(ada, community, { name: 'Friend' });
    assert.match(
      await says('roles', '!listroles'),
      /^Roles in this community:\n( {2}\w+ \(id \d+, priority \d+\)\n?){2}$/,
    );
    assert.equal(await says('roles', '!myroles'), 'You have no roles.');
    const rolesOf = async () =>
      (await ada.do('communitiesGetMembers', { communityId: community, memberIds: [cleo.user] })).members[0]?.roleIds;
    assert.equal(await says('roles', '!addrole @cleo Friend'), "Added role 'Friend' to Cleo.");
    assert.deepEqual(await rolesOf(), [friend]);
    assert.equal(await says('roles', `!removerole @cleo &${friend.toString()}`), "Removed role 'Friend' from Cleo.");
    assert.deepEqual(await rolesOf(), []);
    // It looks for their names among the roles that it has asked for, and it has asked for none.
    assert.equal(await says('roles', `!memberroles @${bot.toString()}`), 'roles has no roles.');
  });

  it('invites makes and looks up one, joins by it, and cannot list them', async () => {
    const link = await says('invites', '!create_invite');
    const code = /^Invite created: https:\/\/osmium\.chat\/i\/(\S+)$/.exec(link)?.[1] ?? '';
    assert.match(
      await says('invites', `!lookup_invite ${code}`),
      new RegExp(`^${code}: type=COMMUNITY, target=\\d+, `),
    );
    // ListChatInvites is not served.
    assert.match((await failure('invites', 'get_invites')) ?? '', /501/);
    const elsewhere = await found(ada, 'Elsewhere');
    const there = await inviteTo(ada, elsewhere);
    assert.equal(await says('invites', `!join ${there}`), `Joined via ${there}.`);
    await ada.update(
      ({ communityMemberCreated: one }) =>
        one?.memberId === rooms.invites.bot && one.communityId === elsewhere.community,
    );
  });

  it('mentions resolves who and what is named', async () => {
    const { community, role, town } = rooms.mentions;
    const bob = await signUp(server.url, 'Bob');
    await bob.do('settingsEditProfile', { username: 'bob' });
    const mention = await answer('mentions', '!whois @bob');
    assert.equal(mention.message, "@bob (name: 'Bob')");
    assert.equal(mention.entities.length, 1);
    assert.equal(await says('mentions', '!whorole &Bots'), `That role is 'Bots' (id ${role.toString()})`);
    const general = town.general.toString();
    assert.equal(await says('mentions', '!whochannel #general'), `That channel is #general (id ${general})`);
    await createChannel(ada, community, { name: 'Rooms', type: ChannelType.CATEGORY });
    assert.equal(await says('mentions', '!whocategory #Rooms'), "That category is 'Rooms' — channels: (empty)");
    await newEmoji('mentions', 'blink');
    const emoji = await answer('mentions', '!whoemoji :blink:');
    assert.match(emoji.message, /^Found custom emoji blink \(id \d+\)$/);
    assert.ok(emoji.entities[0]?.customEmoji !== undefined);
    assert.equal(await says('mentions', '!whouni 🎉'), 'Unicode emoji: 🎉');
    assert.equal(await failure('mentions', 'whois @nobody_at_all'), 'Request failed (404): no such user');
  });

  const reacted = async (command: string, count: number): Promise<MessageId> => {
    const message = await tell(ada, rooms.reactions.chatRef, command);
    const { messageReactions } = await ada.update(
      ({ messageReactions: told }) => told?.reactions?.messageId === message,
    );
    assert.equal(messageReactions?.reactions?.reactionFields[0]?.count, count);
    return message;
  };

  it('reactions adds emoji of both kinds, and takes back what is not there', async () => {
    const { bot, chatRef } = rooms.reactions;
    await newEmoji('reactions', 'blink');
    await reacted('!react 🎉', 1);
    await reacted('!thumbsup', 1);
    await reacted('!reactemoji blink', 1);
    assert.equal(await says('reactions', '!reactemoji none'), 'No emoji named :none: found.');
    await tell(ada, chatRef, '!unreact 🎉');
    await tell(ada, chatRef, '!unreactemoji blink');
    assert.equal(await says('reactions', '!unreactemoji none'), 'No emoji named :none: found.');
    const { messages } = await ada.do('messagesGetHistory', { chatRef, limit: 20 });
    assert.equal(messages.filter(({ authorId }) => authorId === bot).length, 2);
  });

  const newEmoji = async (example: Example, emoji: string): Promise<void> => {
    const pack = { id: rooms[example].community as bigint as StickerPackId };
    const file = await uploaded(ada, emoji, png);
    const metadata = { customEmoji: { emoji } };
    await ada.do('stickersAddStickerToPack', { pack, sticker: { file, mimetype: 'image/png', metadata } });
    assert.equal((await ada.do('stickersGetStickerPack', { pack })).stickers.length, 1);
  };

  it('files sends some, and says, loads and saves what it is sent', async () => {
    const sent = await answer('files', '!sendtext of my own');
    const file = sent.media[0]?.file?.file;
    assert.deepEqual([file?.filename, file?.mimetype, file?.size], ['message.txt', 'text/plain', 9n]);
    const fileRef = { mediaFile: { fileId: file?.fileId } };
    const { data } = await ada.do('mediaDownloadFilePart', { fileRef, offset: 0n, length: 100 });
    assert.equal(Buffer.from(data).toString(), 'of my own');
    assert.equal((await answer('files', '!replyfile')).media[0]?.file?.file?.filename, 'reply.txt');
    assert.equal(await says('files', '!fileinfo'), 'No file attachments on that message.');
    const given: Told = { file: { name: 'given.txt', data: Buffer.from('from Ada') } };
    assert.match(await says('files', '!fileinfo', given), /\n- given\.txt — text\/plain, 8 bytes \(id \d+\)$/);
    assert.equal(await says('files', '!download', given), 'given.txt (8 bytes):\nfrom Ada');
    assert.equal(await says('files', '!savefile saved.txt', given), 'Saved to saved.txt');
    assert.equal(readFileSync(pathOf(server.dataDir, 'saved.txt'), 'utf8'), 'from Ada');
  });

  it('emojis makes, lists, sends and deletes one', async () => {
    const path = pathOf(server.dataDir, 'blink.png');
    writeFileSync(path, png);
    assert.equal(await says('emojis', '!listemojis'), 'This community has no custom emojis.');
    const made = await says('emojis', `!createemoji blink ${path}`);
    const emojiId = BigInt(/^Created :blink: \(id (\d+)\)\.$/.exec(made)?.[1] ?? 0);
    const isIt = (entity: MessageEntityInit | undefined): boolean => entity?.customEmoji?.emojiId === emojiId;
    const list = await answer('emojis', '!listemojis');
    assert.ok(list.entities.some(isIt), list.message);
    const sent = await answer('emojis', '!sendemoji :blink:');
    assert.deepEqual([sent.message, isIt(sent.entities[0])], ['Here it is: blink', true]);
    assert.match(await says('emojis', '!renameemoji :blink: wink'), /:blink: → :wink:/);
    const entities = [{ startIndex: 13, length: 7, customEmoji: { emojiId: emojiId as FileId } }];
    assert.equal(await says('emojis', '!deleteemoji :blink:', { entities }), 'Deleted :blink:.');
    assert.equal(await says('emojis', '!listemojis'), 'This community has no custom emojis.');
  });

  it('has no trouble but what is told above', () => {
    const errors = bots.lines().filter(({ level }) => level === 'ERROR');
    const commands = errors.map(({ log }) => /^Unhandled error in command '(\w+)'/.exec(log ?? '')?.[1] ?? log);
    assert.deepEqual(commands, ['get_invites', 'whois']);
  });
});
