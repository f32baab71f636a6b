import { inChannel, savedMessages, say, withUser } from '../places.js';
import { permission } from '../../../src/kernel/permissions.js';
import { resume } from '../seat.js';
import { everybody, type World } from '../townsfolk.js';
import { alices, inSecret, newestIn, secretRef, type Step } from './step.js';

export const messages: readonly Step[] = [
  {
    title: 'a message in a channel is told to those who see the channel, and its nonce to its author',
    when: (w) => w.alice.do('messagesSendMessage', { chatRef: inSecret(w), message: 'psst', clientId: 7n }),
    hears: {
      ...alices('alice (Alice) says "psst" in #secret of Town, unread 0, nonce 7'),
      bob: ['alice (Alice) says "psst" in #secret of Town, unread 1'],
    },
  },
  {
    title: 'a direct message is told to both sides, each in their own words',
    when: (w) => say(w.alice, withUser(w.dan), 'how are you'),
    hears: {
      ...alices('alice (Alice) says "how are you" in @dan, unread 0'),
      dan: ['alice (Alice) says "how are you" in @alice, unread 2'],
    },
  },
  {
    title: 'the first direct message tells of the chat before the message, and of nobody’s presence',
    when: (w) => say(w.alice, withUser(w.eve), 'are you new'),
    hears: {
      ...alices(
        'chat @eve of Alice (online) and Eve (offline), unread 0',
        'alice (Alice) says "are you new" in @eve, unread 0',
      ),
      eve: [
        'chat @alice of Alice (offline) and Eve (online), unread 1',
        'alice (Alice) says "are you new" in @alice, unread 1',
      ],
    },
  },
  {
    title: 'a saved message is told to its author alone',
    when: (w) => say(w.alice, savedMessages, 'buy milk'),
    hears: alices('alice (Alice) says "buy milk" in self, unread 0'),
  },
  {
    title: 'an edit in a channel is told to those who see it',
    when: async (w) => {
      const messageId = await newestIn(w, inSecret(w));
      await w.alice.do('messagesEditMessage', { chatRef: inSecret(w), messageId, message: 'psst!' });
    },
    hears: {
      ...alices('alice now says "psst!" in #secret of Town'),
      bob: ['alice now says "psst!" in #secret of Town'],
    },
  },
  {
    title: 'an edit in a direct chat is told to both sides',
    when: async (w) => {
      const messageId = await newestIn(w, withUser(w.dan));
      await w.alice.do('messagesEditMessage', { chatRef: withUser(w.dan), messageId, message: 'how are you?' });
    },
    hears: {
      ...alices('alice now says "how are you?" in @dan'),
      dan: ['alice now says "how are you?" in @alice'],
    },
  },
  {
    title: 'a reaction in a channel is told to those who see it, and to each whether it is theirs',
    when: async (w) => {
      const messageId = await newestIn(w, inSecret(w));
      await w.bob.do('reactionsAddReaction', { chatRef: inSecret(w), messageId, emoji: { unicodeEmoji: '❤' } });
    },
    hears: {
      ...alices('reactions in #secret of Town: ❤️ 1'),
      bob: ['reactions in #secret of Town: ❤️ 1 with mine'],
    },
  },
  {
    title: 'a reaction in a direct chat is told to both sides',
    when: async (w) => {
      const messageId = await newestIn(w, withUser(w.dan));
      await w.dan.do('reactionsAddReaction', { chatRef: withUser(w.alice), messageId, emoji: { unicodeEmoji: '👍' } });
    },
    hears: { ...alices('reactions in @dan: 👍 1'), dan: ['reactions in @alice: 👍 1 with mine'] },
  },
  {
    title: 'the last reaction that is taken back is told as none',
    when: async (w) => {
      const messageId = await newestIn(w, inSecret(w));
      await w.bob.do('reactionsRemoveReaction', { chatRef: inSecret(w), messageId, emoji: { unicodeEmoji: '❤' } });
    },
    hears: { ...alices('reactions in #secret of Town: '), bob: ['reactions in #secret of Town: '] },
  },
  {
    title: 'deletions of one request are told together to those who see the channel',
    otherwiseOnNodes: 'a log on another machine may deliver them one by one',
    given: (w) => say(w.alice, inSecret(w), 'another one'),
    when: async (w) => {
      const { messages: found } = await w.alice.do('messagesGetHistory', { chatRef: inSecret(w), limit: 2 });
      const messageIds = found.map(({ messageId }) => messageId);
      await w.alice.do('messagesDeleteMessage', { chatRef: inSecret(w), messageIds });
    },
    hears: { ...alices('2 deleted in #secret of Town'), bob: ['2 deleted in #secret of Town'] },
  },
  {
    title: 'a deletion in a direct chat is told to both sides',
    when: async (w) => {
      const messageIds = [await newestIn(w, withUser(w.dan))];
      await w.alice.do('messagesDeleteMessage', { chatRef: withUser(w.dan), messageIds });
    },
    hears: { ...alices('1 deleted in @dan'), dan: ['1 deleted in @alice'] },
  },
  {
    title: 'how far somebody has read is told to them alone',
    when: async (w) => {
      const messageId = await newestIn(w, withUser(w.dan));
      await w.dan.do('chatsMarkChatRead', { chatRef: withUser(w.alice), messageId });
    },
    hears: { dan: ['read @alice, unread 0, mentions 0'] },
  },
  {
    title: 'and to all their sessions',
    given: (w) => say(w.bob, inSecret(w), 'anybody here'),
    when: async (w) => {
      const messageId = await newestIn(w, inSecret(w));
      await w.alice.do('chatsMarkChatRead', { chatRef: inSecret(w), messageId });
    },
    hears: alices('read #secret of Town, unread 0, mentions 0'),
  },
];

const denyEverybody = (w: World, neg: bigint): Promise<unknown> =>
  w.alice.do('communitiesCreateChannelOverride', { ...secretRef(w), roleId: everybody, permissions: { neg } });

export const typing: readonly Step[] = [
  {
    title: 'typing in a channel is told to those who see it, but not to who types',
    when: (w) => w.alice.do('chatsSetTyping', { chatRef: inSecret(w), typing: true }),
    hears: { bob: ['alice types in #secret of Town'] },
  },
  {
    title: 'who stops says so',
    when: (w) => w.alice.do('chatsSetTyping', { chatRef: inSecret(w), typing: false }),
    hears: { bob: ['alice types no more in #secret of Town'] },
  },
  {
    title: 'who posts types no more',
    given: (w) => w.alice.do('chatsSetTyping', { chatRef: inSecret(w), typing: true }),
    when: (w) => say(w.alice, inSecret(w), 'done'),
    hears: {
      ...alices('alice (Alice) says "done" in #secret of Town, unread 0'),
      bob: ['alice (Alice) says "done" in #secret of Town, unread 1', 'alice types no more in #secret of Town'],
    },
    ephemeral: true,
  },
  {
    title: 'typing of who loses the right to write ends at once',
    given: (w) => w.bob.do('chatsSetTyping', { chatRef: inSecret(w), typing: true }),
    when: (w) => denyEverybody(w, permission.viewChannel | permission.sendMessages),
    hears: {
      ...alices('bob types no more in #secret of Town'),
      bob: ['permissions in #secret of Town: +0 -4'],
    },
    ephemeral: true,
  },
  {
    title: 'and who has lost it may say that they stop, which is told to nobody again',
    when: (w) => w.bob.do('chatsSetTyping', { chatRef: inSecret(w), typing: false }),
    hears: {},
  },
  {
    title: 'typing ends with its connection, although the session has another one',
    given: (w) => denyEverybody(w, permission.viewChannel),
    when: async (w) => {
      const other = await resume(w.server.url, w.bob.token);
      await other.do('chatsSetTyping', { chatRef: inSecret(w), typing: true });
      await other.raw.leave();
    },
    hears: alices('bob types in #secret of Town', 'bob types no more in #secret of Town'),
    ephemeral: true,
  },
  {
    title: 'typing in a direct chat is told to the other side',
    when: (w) => w.alice.do('chatsSetTyping', { chatRef: withUser(w.dan), typing: true }),
    hears: { dan: ['alice types in @alice'] },
  },
  {
    // Every typing that begins here is ended here: the server ends it after 15 s, and that would be heard in any later step.
    title: 'and so is its end',
    when: (w) => w.alice.do('chatsSetTyping', { chatRef: withUser(w.dan), typing: false }),
    hears: { dan: ['alice types no more in @alice'] },
  },
  {
    title: 'typing to oneself is told to nobody',
    when: (w) => w.alice.do('chatsSetTyping', { chatRef: savedMessages, typing: true }),
    hears: {},
  },
];

export const silence: readonly Step[] = [
  {
    title: 'of what only reads nobody is told',
    when: async (w) => {
      const { alice, town: communityId, general: channelId } = w;
      const chatRef = inChannel(communityId, channelId);
      await alice.do('coreInitialize', { clientId: 1 });
      await alice.do('authGetSessions', {});
      await alice.do('communitiesGetCommunities', {});
      await alice.do('communitiesGetChannels', { communityId });
      await alice.do('communitiesGetMembers', { communityId });
      await alice.do('communitiesGetRoles', { communityId });
      await alice.do('communitiesGetChannelOverrides', { communityId, channelId });
      await alice.do('chatsGetChats', {});
      await alice.do('chatsGetChat', { chatRef });
      await alice.do('messagesGetHistory', { chatRef });
      const { code } = await alice.do('chatsCreateChatInvite', { chatRef });
      await alice.do('authLookupInvite', { code });
    },
    hears: {},
  },
];
