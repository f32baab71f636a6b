import { botsListedMax, type BotObjection, type BotsAdmin, type BotToken } from '../../admin/bots.js';
import { accounts } from '../../domain/accounts/decide.js';
import { accountStream } from '../../domain/accounts/events.js';
import { bots } from '../../domain/bots/decide.js';
import { nameUnitsMax, users } from '../../domain/users/decide.js';
import { userStream } from '../../domain/users/events.js';
import { newToken } from '../../gateway/packages/auth/tokens.js';
import { isRejection, type Rejection } from '../../kernel/decider.js';
import { displayName } from '../../kernel/displayName.js';
import type { SessionId, UserId } from '../../kernel/ids.js';
import { unless } from '../../kernel/opened.js';
import { botNamed, botsOf } from '../../projections/bots/queries.js';
import { usersById } from '../../projections/users/queries.js';
import { of, type Get } from '../tokens.js';
import { isId, objectionTo, runnerOf, userNamed } from './named.js';

/**
 * The bots of a deployment, as a running server makes and ends them. Each is made in three steps: its place among the
 * bots of its owner, its profile, its account with the session of its token. A bot whose making was cut off is listed,
 * has no token, and can be deleted. It is ended in the other order, so that a bot which is not listed is never alive.
 */
export const botsAdmin = (get: Get): BotsAdmin => {
  const run = runnerOf(get);
  return {
    create: async ({ name: typed, owner: named }) => {
      const name = displayName(typed, nameUnitsMax);
      if (isRejection(name)) return objectionTo(name);
      const owner = await ownerNamed(get, named);
      if (typeof owner !== 'bigint') return owner;
      const bot = get(of.ids).next() as UserId;
      const listed = await run(bots, { type: 'CreateBot', data: { owner, bot } });
      if (listed !== undefined) return objectionTo(listed);
      const profiled = await run(users, { type: 'RegisterUser', data: { user: bot, name, bot: true } });
      if (profiled !== undefined) return objectionTo(profiled);
      return withToken(get, bot, (session) =>
        run(accounts, { type: 'RegisterAccount', data: { user: bot, owner, hasPassword: false, ...session } }),
      );
    },

    list: async (named) => {
      const owner = named === undefined ? undefined : await ownerNamed(get, named);
      if (owner !== undefined && typeof owner !== 'bigint') return owner;
      const reads = await currentReads(get);
      const found = await botsOf(reads, owner, { limit: botsListedMax });
      const shown = new Map(
        (
          await usersById(
            reads,
            found.map(({ bot }) => bot),
          )
        ).map((user) => [user.id, user]),
      );
      return found.map(({ bot, owner: of_ }) => {
        const user = shown.get(bot);
        return { id: bot.toString(), owner: of_.toString(), name: user === undefined ? '' : unless(user.name, '') };
      });
    },

    token: async (named) => {
      const found = await botWithId(get, named);
      if ('objection' in found) return found;
      const { bot: user } = found;
      return withToken(get, user, (session) => run(accounts, { type: 'IssueBotToken', data: { user, ...session } }));
    },

    drop: async (named) => {
      const found = await botWithId(get, named);
      if ('objection' in found) return found;
      const { bot, owner } = found;
      const retired = await run(accounts, { type: 'RetireBot', data: { user: bot } });
      const refused = retired ?? (await run(bots, { type: 'DeleteBot', data: { owner, bot } }));
      return refused === undefined ? undefined : objectionTo(refused);
    },
  };
};

type BotSession = {
  readonly session: SessionId;
  readonly tokenHash: string;
  readonly today: number;
  readonly device: typeof noDevice;
};

/** A bot names its device when it connects. */
const noDevice = { clientId: 0, deviceType: '', deviceVersion: '', appVersion: '' } as const;

const withToken = async (
  get: Get,
  bot: UserId,
  open: (session: BotSession) => Promise<Rejection | undefined>,
): Promise<BotToken | BotObjection> => {
  const { session, hash, text } = newToken(bot, get(of.ids).next() as SessionId, get(of.random));
  const refused = await open({ session, tokenHash: hash, today: get(of.days).today(), device: noDevice });
  return refused === undefined ? { id: bot.toString(), token: text } : objectionTo(refused);
};

/** All that is in the log now. */
const currentReads = async (get: Get) => {
  await get(of.projections).reached(await get(of.log).end(), ['users']);
  return { store: get(of.reads) };
};

const botWithId = async (get: Get, named: string) =>
  (isId(named) ? await botNamed(await currentReads(get), BigInt(named) as UserId) : undefined) ?? {
    objection: 'there is no bot with this id',
  };

/** A user who is there, and no bot. */
const ownerNamed = async (get: Get, named: string): Promise<UserId | BotObjection> => {
  const owner = await userNamed(get, named);
  if (owner === undefined) return noSuchUser;
  const streams = get(of.streams);
  const { state: profile } = await streams.caughtUp(userStream(owner), users);
  if (profile.status === 'absent') return noSuchUser;
  const { state: account } = await streams.caughtUp(accountStream(owner), accounts);
  const isBot = account.status === 'registered' && account.bot !== undefined;
  return isBot ? { objection: 'a bot owns no bots' } : owner;
};

const noSuchUser: BotObjection = { objection: 'there is no user with this id or username' };
