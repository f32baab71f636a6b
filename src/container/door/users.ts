import type { UserObjection, UsersAdmin } from '../../admin/users.js';
import { accounts } from '../../domain/accounts/decide.js';
import { accountStream } from '../../domain/accounts/events.js';
import { formsOf } from '../../gateway/packages/auth/emailAddress.js';
import { passwordName } from '../../gateway/packages/auth/passwordName.js';
import type { UserId } from '../../kernel/ids.js';
import { HasherBusy } from '../../kernel/ports/system.js';
import { of, type Get } from '../tokens.js';
import { runnerOf, userNamed } from './named.js';

/** Of a password that the server makes: nobody guesses it, so that it may be kept. */
export const passwordRandomBytes = 16;

/** The people of a deployment, as a running server looks after them in the name of the operator. */
export const usersAdmin = (get: Get): UsersAdmin => {
  return {
    password: async (named) => {
      const user = named.includes('@', 1) ? await withAddress(get, named) : await userNamed(get, named);
      if (user === undefined) return noSuchUser;
      if (typeof user === 'object') return user;
      const objection = await objectionAbout(get, user);
      if (objection !== undefined) return objection;
      const password = Buffer.from(get(of.random).bytes(passwordRandomBytes)).toString('base64url');
      const hash = await hashed(get, password);
      if ('objection' in hash) return hash;
      // First, so that nobody comes in by the old one once the sessions are over.
      if ((await get(of.vault).put(passwordName(user), hash)) === 'destroyed') return noSuchUser;
      return (await sessionsEnded(get, user)) ? { id: user.toString(), password } : sessionsRemain;
    },
  };
};

const noSuchUser: UserObjection = { objection: 'there is no user with this id, username or e-mail address' };

/** The new password is not told: the next call gives another one. */
const sessionsRemain: UserObjection = {
  objection: 'the password was changed but the sessions could not be ended: run this again',
};

/** Under any form in which an account may have it. Two accounts of a former release may have two of them. */
const withAddress = async (get: Get, typed: string): Promise<UserId | UserObjection | undefined> => {
  const holders = await Promise.all(formsOf(typed).map((form) => withForm(get, form)));
  const [first, ...others] = new Set(holders.filter((holder) => holder !== undefined));
  if (others.length === 0) return first;
  const ids = [first, ...others].join(' and ');
  return { objection: `several users have this e-mail address, ${ids}: name one by the id` };
};

/** A claim that nobody came to carry is of no account. */
const withForm = async (get: Get, form: string): Promise<UserId | undefined> => {
  const name = get(of.names).nameOf('email', form);
  const holder = await get(of.names).holderOf(name);
  const account = holder && (await accountOf(get, holder));
  return account?.status === 'registered' && account.emailKeys.includes(name.key) ? holder : undefined;
};

const sessionsEnded = async (get: Get, user: UserId): Promise<boolean> => {
  try {
    const data = { user, sessions: await sessionsOf(get, user) };
    return (await runnerOf(get)(accounts, { type: 'RevokeSessions', data })) === undefined;
  } catch (err) {
    get(of.logger).error({ err }, 'the sessions of a user with a new password could not be ended');
    return false;
  }
};

const accountOf = async (get: Get, user: UserId) =>
  (await get(of.streams).caughtUp(accountStream(user), accounts)).state;

/** An account without an address is come into by a token alone, so that a password would be of no use to it. */
const objectionAbout = async (get: Get, user: UserId): Promise<UserObjection | undefined> => {
  const account = await accountOf(get, user);
  if (account.status !== 'registered') return noSuchUser;
  if (account.bot !== undefined) return { objection: 'a bot has no password: give it another token' };
  return account.emailKeys.length > 0
    ? undefined
    : { objection: 'this user signed up as a guest, and has no e-mail address to sign in with' };
};

const hashed = async (get: Get, password: string): Promise<Uint8Array | UserObjection> => {
  try {
    return await get(of.hasher).hash(password);
  } catch (error) {
    if (error instanceof HasherBusy) return { objection: 'too many passwords are being hashed: try again' };
    throw error;
  }
};

const sessionsOf = async (get: Get, user: UserId) => {
  const account = await accountOf(get, user);
  return account.status === 'registered' ? account.sessions.map(({ id }) => id) : [];
};
