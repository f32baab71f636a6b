import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Authorization } from '../../src/gen/auth.js';
import type { RPCResult } from '../../src/gen/core.js';
import type { RpcName, Rpcs } from '../../src/gen/rpcs.js';
import { ChannelType } from '../../src/gen/types.js';
import { initialize, rawClient, type RawClient } from '../gateway/rig/rawClient.js';
import { onEachDeployment, type Deployment } from '../support/deployments.js';
import { found, inChannel, join, say, withUser, type Town } from './places.js';
import { signUp, type Seat } from './seat.js';

/** The habits of clients that others have written, which this server has to live with. */
onEachDeployment('a client like', (start) => {
  let server: Deployment;
  let owner: Seat;
  let bot: Seat;
  let town: Town;
  before(async () => {
    server = await start();
    owner = await signUp(server.url, 'Owner');
    bot = await signUp(server.url, 'Bot');
    town = await found(owner, 'Town');
    await join(owner, town, bot);
  });
  after(() => server.remove());

  describe('the one for Python', () => {
    /** Sends everything under id 0 that it does not wait for, and takes results by their member. */
    const connected = async (token: string): Promise<RawClient> => {
      const client = await rawClient(server.url);
      client.ask(0, 'coreInitialize', { ...initialize, clientId: 150_896 });
      await client.find(() => client.received.length === 1);
      client.ask(0, 'authAuthorize', { token });
      const { result } = await client.find(({ result: one }) => one?.authorization !== undefined);
      assert.equal(result?.reqId, 0);
      assert.equal(client.received[0]?.result?.authorization, undefined);
      return client;
    };

    it('creates by listing, creating and listing again', async () => {
      const client = await connected(owner.token);
      const { community: communityId } = town;
      client.ask(1, 'communitiesGetChannels', { communityId });
      const known = new Set((await client.result(1)).channels?.channels.map(({ id }) => id));
      client.ask(2, 'communitiesCreateChannel', { communityId, name: 'news', type: ChannelType.TEXT });
      assert.deepEqual(await client.result(2), { reqId: 2 });
      client.ask(3, 'communitiesGetChannels', { communityId });
      const channels = (await client.result(3)).channels?.channels ?? [];
      assert.deepEqual(
        channels.filter(({ id }) => !known.has(id)).map(({ name }) => name),
        ['news'],
      );
      client.ask(4, 'communitiesCreateRole', { communityId, name: 'reader' });
      await client.result(4);
      client.ask(5, 'communitiesGetRoles', { communityId });
      const role = (await client.result(5)).communityRoles?.roles.find(({ name }) => name === 'reader');
      assert.ok(role);
      client.ask(6, 'communitiesEditRole', { communityId, id: role.id, name: 'reader', color: 5 });
      assert.deepEqual(await client.result(6), { reqId: 6 });
      client.ask(7, 'communitiesGetRoles', { communityId });
      assert.equal((await client.result(7)).communityRoles?.roles.find(({ id }) => id === role.id)?.color, 5);
      await client.leave();
    });

    it('sends blindly, many requests under one id', async () => {
      const client = await connected(owner.token);
      const chatRef = inChannel(town.community, town.general);
      const messageIds = [await say(owner, chatRef, 'one'), await say(owner, chatRef, 'two')];
      for (const messageId of messageIds) client.ask(0, 'messagesDeleteMessage', { chatRef, messageIds: [messageId] });
      const answers = () => client.received.flatMap(({ result }) => (result?.reqId === 0 ? result : []));
      await client.find(() => answers().length === 4);
      assert.deepEqual(answers().slice(2), [{ reqId: 0 }, { reqId: 0 }]);
      client.ask(9, 'messagesGetHistory', { chatRef });
      const left = (await client.result(9)).messages?.messages.map(({ messageId }) => messageId) ?? [];
      assert.deepEqual(
        left.filter((one) => messageIds.includes(one)),
        [],
      );
      await client.leave();
    });

    it('sees what it sent blindly before it asked', async () => {
      const client = await connected(bot.token);
      const { code } = await owner.do('chatsCreateChatInvite', { chatRef: inChannel(town.community, town.general) });
      await bot.do('communitiesLeaveCommunity', { communityId: town.community });
      client.ask(0, 'authUseInvite', { code });
      client.ask(12, 'communitiesGetChannels', { communityId: town.community });
      const { channels, error } = await client.result(12);
      await client.leave();
      await bot.do('authUseInvite', { code });
      assert.equal(error, undefined);
      assert.ok(channels?.channels.some(({ id }) => id === town.general));
    });

    it('answers a direct message by echoing its chat', async () => {
      const client = await connected(bot.token);
      await say(owner, withUser(bot), '!ping');
      const { update } = await client.find(({ update: one }) => one?.messageCreated?.message?.message === '!ping');
      const asked = update?.messageCreated?.message;
      assert.ok(asked);
      assert.equal(update.messageCreated.author?.id, owner.user);
      client.ask(11, 'messagesSendMessage', { chatRef: asked.chatRef, message: 'pong', replyToOld: asked.messageId });
      assert.ok((await client.result(11)).sentMessage?.messageId);
      const answer = await owner.update(({ messageCreated }) => messageCreated?.message?.message === 'pong');
      assert.equal(answer.messageCreated?.message?.chatRef?.user?.userId, bot.user);
      assert.equal(answer.messageCreated.message.replyTo, asked.messageId);
      await client.leave();
    });

    it('keeps the connection with pings alone', async () => {
      const client = await connected(bot.token);
      const ponged = new Promise((resolve) => client.socket.once('pong', resolve));
      client.socket.ping();
      await ponged;
      await client.leave();
    });
  });

  describe('the one for Go', () => {
    /** Counts from 1, and takes any member where there should be none for an error. */
    const connected = async (token: string) => {
      const client = await rawClient(server.url);
      let count = 0;
      const ask = <Name extends RpcName>(name: Name, request: Rpcs[Name]['requestInit']): Promise<RPCResult> => {
        count += 1;
        client.ask(count, name, request);
        return client.result(count);
      };
      assert.ok((await ask('coreInitialize', initialize)).initialized);
      const authorization: Authorization | undefined = (await ask('authAuthorize', { token })).authorization;
      assert.equal(authorization?.user?.name, 'Bot');
      const ensureVoid = async <Name extends RpcName>(name: Name, request: Rpcs[Name]['requestInit']) => {
        const { reqId, ...members } = await ask(name, request);
        assert.ok(reqId > 0);
        assert.deepEqual(members, {});
      };
      return { client, ask, ensureVoid };
    };

    it('fetches one message with the history around it', async () => {
      const { client, ask } = await connected(bot.token);
      const chatRef = inChannel(town.community, town.general);
      const [, wanted] = [
        await say(owner, chatRef, 'a'),
        await say(owner, chatRef, 'b'),
        await say(owner, chatRef, 'c'),
      ];
      const { messages } = await ask('messagesGetHistory', { chatRef, around: wanted, limit: 1 });
      assert.deepEqual(
        messages?.messages.map(({ message }) => message),
        ['b'],
      );
      await client.leave();
    });

    it('finds nothing in answers that have nothing to say', async () => {
      const { client, ask, ensureVoid } = await connected(bot.token);
      const chatRef = inChannel(town.community, town.general);
      const { sentMessage } = await ask('messagesSendMessage', { chatRef, message: 'x' });
      assert.ok(sentMessage);
      const { messageId } = sentMessage;
      await ensureVoid('messagesEditMessage', { chatRef, messageId, message: 'y' });
      await ensureVoid('chatsMarkChatRead', { chatRef, messageId });
      await ensureVoid('chatsSetTyping', { chatRef, typing: true });
      await ensureVoid('messagesDeleteMessage', { chatRef, messageIds: [messageId] });
      await ensureVoid('settingsEditProfile', { bio: 'A bot.' });
      await client.leave();
    });

    it('lists members with an empty list, and asks for a chat that has not begun', async () => {
      const { client, ask } = await connected(bot.token);
      const { members } = await ask('communitiesGetMembers', { communityId: town.community });
      assert.deepEqual(members?.members.map(({ id }) => id).sort(), [owner.user, bot.user].sort());
      const stranger = await signUp(server.url, 'Stranger');
      const { chat } = await ask('chatsGetChat', { chatRef: withUser(stranger) });
      assert.ok(chat?.users.some(({ id }) => id === stranger.user));
      await client.leave();
    });
  });

  describe('the one for TypeScript', () => {
    it('says who it is, keeps the connection with heartbeats, replies and edits', async () => {
      const client = await rawClient(server.url);
      let clock = Date.now() >>> 0;
      const ask = <Name extends RpcName>(name: Name, request: Rpcs[Name]['requestInit']): Promise<RPCResult> => {
        clock = (clock + 1) >>> 0;
        client.ask(clock, name, request);
        return client.result(clock);
      };
      assert.ok((await ask('coreInitialize', { ...initialize, clientId: 120_715 })).initialized);
      const { authorization } = await ask('authAuthorize', { token: bot.token });
      assert.deepEqual([authorization?.user?.id, authorization?.user?.name], [bot.user, 'Bot']);
      assert.equal(authorization?.token, bot.token);
      client.send(Uint8Array.of(0x08, 0x01));
      const chatRef = inChannel(town.community, town.general);
      const replyToOld = await say(owner, chatRef, 'question');
      const { sentMessage } = await ask('messagesSendMessage', { chatRef, message: 'answer', replyToOld });
      assert.ok(sentMessage);
      assert.deepEqual(
        Object.keys(await ask('messagesEditMessage', { chatRef, messageId: sentMessage.messageId, message: 'better' })),
        ['reqId'],
      );
      const edited = ({ update }: { readonly update?: { readonly message?: unknown } | undefined }): boolean =>
        update?.message !== undefined;
      assert.equal((await client.find(edited)).update?.message?.message?.message, 'better');
      assert.ok(!client.received.some(({ result }) => result?.reqId === 1));
      await client.leave();
    });

    it('comes back with its first token as often as it likes', async () => {
      for (let times = 0; times < 3; times += 1) {
        const client = await rawClient(server.url);
        client.ask(1, 'coreInitialize', initialize);
        client.ask(2, 'authAuthorize', { token: bot.token });
        assert.equal((await client.result(2)).authorization?.token, bot.token);
        client.socket.terminate();
      }
    });
  });
});
