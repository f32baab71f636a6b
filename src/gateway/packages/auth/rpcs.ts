import { defined } from '../../../kernel/defined.js';
import type { SessionDevice } from '../../../domain/accounts/commands.js';
import { accounts } from '../../../domain/accounts/decide.js';
import { accountStream } from '../../../domain/accounts/events.js';
import type { AccountState } from '../../../domain/accounts/state.js';
import { nameUnitsMax, users } from '../../../domain/users/decide.js';
import type { AuthorizationInit } from '../../../gen/auth.js';
import type { UserInit } from '../../../gen/types.js';
import { nothing } from '../../../gen/rpcs.js';
import { isRejection, reject, type Rejection } from '../../../kernel/decider.js';
import { displayName } from '../../../kernel/displayName.js';
import type { SessionId, UserId } from '../../../kernel/ids.js';
import type { Presence } from '../../../kernel/ports/presence.js';
import type { FoldedStreams } from '../../../kernel/foldedStreams.js';
import type { CommonPasswords, Ids, Random } from '../../../kernel/ports/system.js';
import type { Vault } from '../../../kernel/ports/vault.js';
import { sessionsOf } from '../../../projections/accounts/queries.js';
import type { Reads } from '../../../projections/reading/queries.js';
import type { UniqueNames } from '../../access/uniqueNames.js';
import { sessionDeviceOf, type OpenCall } from '../../contract/call.js';
import type { Hashing, SignInGuard } from '../../contract/signInGuard.js';
import type { DeviceChanges } from '../../access/deviceChanges.js';
import type { SessionUses } from '../../access/sessionUses.js';
import { type Handlers } from '../../contract/handlers.js';
import { newToken, tokenOf, type Token } from './tokens.js';
import { isPasswordStill, verified } from './credentials.js';
import { emailOf, type EmailAddress } from './emailAddress.js';
import { passwordName } from './passwordName.js';
import { newPasswordOf, sessionFor } from './wire.js';

export type AuthNeeds = {
  readonly ids: Ids;
  readonly random: Random;
  readonly vault: Vault;
  readonly guard: SignInGuard;
  readonly commonPasswords: CommonPasswords;
  readonly streams: Pick<FoldedStreams, 'caughtUp' | 'remembered'>;
  readonly names: UniqueNames;
  readonly reads: Reads;
  readonly presence: Presence;
  readonly devices: DeviceChanges;
  readonly uses: Pick<SessionUses, 'today' | 'came'>;
  /** The user as clients see them; undefined when there is no such user. */
  readonly userFor: (user: UserId) => Promise<UserInit | undefined>;
};

/** The WebSocket close code after a token was refused: some clients would wait for ever on an open connection. */
export const closePolicyViolation = 1008;

export const authRpcs = (
  needs: AuthNeeds,
): Handlers<'authSignUp' | 'authLegacySignIn' | 'authAuthorize' | 'authGetSessions' | 'authRevokeSessions'> => ({
  async authSignUp(request, call) {
    const wanted = await signUpOf(needs, request);
    if (isRejection(wanted)) return needs.guard.invalidSignUp(call, wanted);
    return needs.guard.signUp(call, async (hashing) => {
      const token = newToken(needs.ids.next() as UserId, needs.ids.next() as SessionId, needs.random);
      const refused = await register({ ...needs, hashing }, call, wanted, token);
      return refused ?? authorized(needs, call, token, token.text);
    });
  },

  async authLegacySignIn({ email, password }, call) {
    const holder = await verified(needs, call, { email, password });
    if (isRejection(holder)) return holder;
    const { user } = holder;
    const token = newToken(user, needs.ids.next() as SessionId, needs.random);
    const command = { type: 'OpenSession', data: { user, ...newSessionOf(needs, call, token) } } as const;
    const opened = await call.run(accounts, command, { actor: user });
    if (isRejection(opened)) return opened;
    if (await isPasswordStill(needs, holder)) return authorized(needs, call, token, token.text);
    await call.run(accounts, { type: 'RevokeSessions', data: { user, sessions: [token.session] } }, { actor: user });
    return reject('INVALID_CREDENTIALS');
  },

  async authAuthorize({ token: text }, call) {
    const token = tokenOf(text);
    const resumed = token === undefined ? reject('INVALID_TOKEN') : await resume(needs, call, token);
    if (token === undefined || isRejection(resumed)) {
      needs.guard.tokenRefused(call);
      call.closeSoon(closePolicyViolation);
      return reject('INVALID_TOKEN');
    }
    if (call.device !== undefined)
      needs.devices.named({ user: token.user, session: token.session }, sessionDeviceOf(call.device));
    return authorized(needs, call, token, text);
  },

  async authGetSessions(_, call) {
    await call.upToDate('accounts');
    const { user, session: current } = call.caller;
    const [sessions, [present = []]] = await Promise.all([sessionsOf(needs.reads, user), needs.presence.of([user])]);
    const lastActive = new Map(present.map((entry) => [entry.session, entry.lastActive]));
    const shown = sessions.map((session) =>
      sessionFor(session, lastActive.get(session.id) ?? session.openedAt, needs.devices.waiting(session.id)),
    );
    return { sessions: { sessions: shown, current } };
  },

  async authRevokeSessions({ sessionIds }, call) {
    const { user } = call.caller;
    const outcome = await call.run(accounts, { type: 'RevokeSessions', data: { user, sessions: sessionIds } });
    return isRejection(outcome) ? outcome : nothing;
  },
});

/**
 * The password is hashed first, which may be refused for now: then nothing is left of the attempt. The address is
 * claimed next and the account comes last, so an attempt that is cut off in between leaves no account behind.
 */
const register = async (
  needs: AuthNeeds & { readonly hashing: Hashing },
  call: OpenCall,
  { name, email, password }: SignUp,
  token: Token,
): Promise<Rejection | undefined> => {
  const { names, vault, hashing } = needs;
  const { user } = token;
  const hash = password === undefined ? undefined : await hashing.hash(password);
  const claimed = email && names.nameOf('email', email.canonical);
  const taken = claimed && ((await takenFormerly(names, call, email)) ?? (await names.claim(call, claimed, user)));
  if (taken !== undefined) return taken;
  if (hash !== undefined) await vault.put(passwordName(user), hash);

  const profile = { type: 'RegisterUser', data: { user, name, bot: false } } as const;
  const named = await call.run(users, profile, { actor: user });
  if (isRejection(named)) return named;
  const account = {
    user,
    ...newSessionOf(needs, call, token),
    hasPassword: hash !== undefined,
    ...(email === undefined || claimed === undefined ? {} : { email: { address: email.address, key: claimed.key } }),
  };
  const opened = await call.run(accounts, { type: 'RegisterAccount', data: account }, { actor: user });
  return isRejection(opened) ? opened : undefined;
};

/** An account of a former release keeps its address in the form of then until it signs in. */
const takenFormerly = async (
  names: UniqueNames,
  call: OpenCall,
  { former }: EmailAddress,
): Promise<Rejection | undefined> => {
  const taken = await Promise.all(former.map((form) => names.isTaken(names.nameOf('email', form), call)));
  return taken.includes(true) ? reject('EMAIL_TAKEN') : undefined;
};

type SignUp = { readonly name: string; readonly email?: EmailAddress; readonly password?: string };

type SignUpRequest = {
  readonly name: string;
  readonly email?: string | undefined;
  readonly password?: string | undefined;
};

const signUpOf = async (
  { commonPasswords }: Pick<AuthNeeds, 'commonPasswords'>,
  request: SignUpRequest,
): Promise<SignUp | Rejection> => {
  const name = displayName(request.name, nameUnitsMax);
  if (isRejection(name)) return name;
  // Clients send empty texts for fields that were left out in a form.
  const email = request.email ? emailOf(request.email) : undefined;
  if (isRejection(email)) return email;
  const password = request.password ? await newPasswordOf(commonPasswords, request.password) : undefined;
  if (isRejection(password)) return password;
  return { name, ...defined({ email, password }) };
};

const resume = ({ uses }: Pick<AuthNeeds, 'uses'>, call: OpenCall, { user, session, hash }: Token) => {
  const data = { user, session, tokenHash: hash, today: uses.today() };
  return call.run(accounts, { type: 'ResumeSession', data }, { actor: user, whileBehind: true });
};

const unknownDevice: SessionDevice = { clientId: 0, deviceType: '', deviceVersion: '', appVersion: '' };

const newSessionOf = (
  { guard, uses }: Pick<AuthNeeds, 'guard' | 'uses'>,
  call: OpenCall,
  { user, session, hash }: Token,
) => ({
  session,
  tokenHash: hash,
  device: call.device === undefined ? unknownDevice : sessionDeviceOf(call.device),
  network: guard.networkKey(call, user),
  today: uses.today(),
});

const authorized = async (
  needs: AuthNeeds,
  call: OpenCall,
  { user, session }: Token,
  token: string,
): Promise<{ readonly authorization: AuthorizationInit } | Rejection> => {
  await call.authorize({ user, session, ...((await isBot(needs, user)) ? { bot: true } : {}) });
  needs.uses.came({ user, session });
  await call.keysUpToDate('users');
  const shown = await needs.userFor(user);
  if (shown === undefined) return reject('USER_NOT_FOUND');
  return { authorization: { token, user: shown, sessionId: session } };
};

/** The account was just decided on, so that memory has it; and an account never becomes a bot's or ceases to be one. */
const isBot = async ({ streams }: Pick<AuthNeeds, 'streams'>, user: UserId): Promise<boolean> => {
  const stream = accountStream(user);
  const { state } = streams.remembered<AccountState>(stream) ?? (await streams.caughtUp(stream, accounts));
  return state.status === 'registered' && state.bot !== undefined;
};
