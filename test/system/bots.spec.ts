import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { ChatRefInit } from '../../src/gen/refs.js';
import type { Message } from '../../src/gen/types.js';
import type { UserId } from '../../src/kernel/ids.js';
import { osmium, type Run } from '../cli/osmium.js';
import { python, withoutLibrary } from '../clients/python/library.js';
import { testServer, type TestServer } from '../support/server.js';
import { found, inChannel, inviteTo, say, withUser, type Town } from './places.js';
import { resume, signUp, type Seat } from './seat.js';

/** Joins by an invite, answers `!menu` with a button, and answers who presses it. Prints what it was refused. */
const barista = `
import os
from osmium_chat import Bot, Button, Context, LinkButton, MessageCloak, commands
from osmium_chat.client import Client
Client.WS_URL = os.environ['URL']

async def pressed(press):
    await press.respond(f'coffee for {press.user_id}')
    try:
        await press.respond('and another one')
    except Exception as error:
        print('refused', error, flush=True)

class Barista(commands.Commands):
    @commands.listen('connect')
    async def connected(self):
        await self.bot.use_invite(os.environ['INVITE'])
        print('connected', flush=True)

    @commands.command('menu')
    async def menu(self, ctx: Context):
        rows = [[Button('Coffee', callback=pressed), LinkButton('Docs', 'https://docs.example/')]]
        sent = await ctx.send('What will it be?', cloak=MessageCloak('Barista'), buttons=rows)
        await sent.edit('What shall it be?')

bot = Bot(prefix='!', client_id=150896)
bot.add_commands(Barista)
bot.run(os.environ['TOKEN'])
`;

describe('a bot of the operator', () => {
  let server: TestServer;
  let owner: Seat;
  let town: Town;
  let chatRef: ChatRefInit;
  before(async () => {
    server = await testServer();
    owner = await signUp(server.url, 'Owner');
    town = await found(owner, 'Town');
    chatRef = inChannel(town.community, town.general);
  });
  after(() => server.remove());

  const command = (...args: readonly string[]): Run['ended'] =>
    osmium(['bot', ...args], { OSMIUM_DATA_DIR: server.dataDir }).ended;

  const made = async (name: string): Promise<{ readonly user: UserId; readonly token: string }> => {
    const { output, errors } = await command('create', name, '--owner', owner.user.toString());
    assert.equal(errors, '');
    const [, id = '', token = ''] = /^id +(\d+)\ntoken +(\S+)\n$/.exec(output) ?? [];
    return { user: BigInt(id) as UserId, token };
  };

  it('is made, listed, given another token and deleted by commands', async () => {
    const { user, token } = await made('Beep');
    const listed = await command('list', '--owner', owner.user.toString(), '--json');
    const shown = [{ id: user.toString(), owner: owner.user.toString(), name: 'Beep' }];
    assert.deepEqual(JSON.parse(listed.output), { bots: shown });
    const bot = await resume(server.url, token);
    const next = await command('token', user.toString());
    await bot.update(({ sessionDeleted }) => sessionDeleted?.sessionId === bot.session);
    const again = await resume(server.url, /token +(\S+)/.exec(next.output)?.[1] ?? '');
    await say(owner, withUser({ user }), 'hello, bot');
    assert.ok(await say(again, withUser(owner), 'beep'));
    const gone = await command('delete', user.toString());
    assert.equal(gone.output, `the bot ${user.toString()} is gone\n`);
    await again.update(({ sessionDeleted }) => sessionDeleted?.sessionId === again.session);
    const refused = await command('token', user.toString());
    assert.deepEqual([refused.code, refused.errors], [1, 'osmium: there is no bot with this id\n']);
  });

  it('is driven by the library for Python as it is', { skip: withoutLibrary }, async (t) => {
    const { user, token } = await made('Coffee maker');
    const program = running(t, { URL: server.url, TOKEN: token, INVITE: await inviteTo(owner, town) });
    await owner.update(({ communityMemberCreated }) => communityMemberCreated?.memberId === user);
    await say(owner, chatRef, '!menu');
    const isMenu = (message: Message | undefined): boolean => message?.message === 'What shall it be?';
    const { message: edited } = await owner.update(({ message }) => isMenu(message?.message));
    const { messageId, botInfo } = edited?.message ?? {};
    assert.ok(messageId !== undefined && botInfo?.cloak?.name === 'Barista');
    const [coffee, docs] = botInfo.buttons?.rows.flatMap(({ buttons }) => buttons) ?? [];
    assert.equal(docs?.url?.url, 'https://docs.example/');
    const data = coffee?.interaction?.data ?? '';
    const answer = await owner.do('messagesSubmitInteraction', { chatRef, messageId, data });
    assert.equal(answer.message, `coffee for ${owner.user.toString()}`);
    assert.match(await program.prints(/refused .*/), /404/);
  });
});

const running = (t: TestContext, environment: Readonly<Record<string, string>>) => {
  const child = spawn(python, ['-c', barista], { env: { PATH: process.env['PATH'], ...environment } });
  t.after(() => child.kill('SIGKILL'));
  let printed = '';
  const looking = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      printed += data.toString();
      for (const look of looking) look();
    });
  }
  const ended = new Promise<never>((_, fail) => {
    child.on('close', () => {
      fail(new Error(`the bot has ended: ${printed}`));
    });
  });
  ended.catch(() => undefined);
  return {
    prints: (pattern: RegExp): Promise<string> =>
      Promise.race([
        ended,
        new Promise<string>((resolve) => {
          const look = (): void => {
            const line = pattern.exec(printed)?.[0];
            if (line !== undefined) resolve(line);
          };
          looking.add(look);
          look();
        }),
      ]),
  };
};
