import type { UserObjection, UsersAdmin } from '../../admin/users.js';
import { accounts } from '../../domain/accounts/decide.js';
import { accountStream } from '../../domain/accounts/events.js';
import { formsOf } from '../../gateway/packages/auth/emailAddress.js';
import { passwordName } from '../../gateway/packages/auth/passwordName.js';
import type { UserId } from '../../kernel/ids.js';
import { HasherBusy } from '../../kernel/ports/system.js';
import { of, type Get } from '../tokens.js';
import { objectionTo, runnerOf, userNamed } from './named.js';

/** Of a password that the server makes: nobody guesses it, so that it may be kept. */
export const passwordRandomBytes = 16;

/** The people of a deployment, as a running server looks after them in the name of the operator. */
export const usersAdmin = (get: Get): UsersAdmin => {
  const run = runnerOf(get);
  return {
    password: async (named) => {
      const user = named.includes('@', 1) ? await withAddress(get, named) : await userNamed(get, named);
      const objection = user === undefined ? noSuchUser : await objectionAbout(get, user);
      if (user === undefined || objection !== undefined) return objection ?? noSuchUser;
      const password = Buffer.from(get(of.random).bytes(passwordRandomBytes)).toString('base64url');
      const hash = await hashed(get, password);
      if ('objection' in hash) return hash;
      // First, so that nobody comes in by the old one once the sessions are over.
      await get(of.vault).put(passwordName(user), hash);
      const refused = await run(accounts, {
        type: 'RevokeSessions',
        data: { user, sessions: await sessionsOf(get, user) },
      });
      return refused === undefined ? { id: user.toString(), password } : objectionTo(refused);
    },
  };
};

const noSuchUser: UserObjection = { objection: 'there is no user with this id, username or e-mail address' };

/** Under any form in which an account may have it. */
const withAddress = async (get: Get, typed: string): Promise<UserId | undefined> => {
  const names = get(of.names);
  for (const form of formsOf(typed)) {
    const holder = await names.holderOf(names.nameOf('email', form));
    if (holder !== undefined) return holder;
  }
  return undefined;
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
