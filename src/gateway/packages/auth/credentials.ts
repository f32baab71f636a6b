import { accounts, hasSignedInFrom } from '../../../domain/accounts/decide.js';
import { accountStream } from '../../../domain/accounts/events.js';
import { reject, type Rejection } from '../../../kernel/decider.js';
import type { FoldedStreams } from '../../../kernel/foldedStreams.js';
import type { UserId } from '../../../kernel/ids.js';
import { HasherBusy } from '../../../kernel/ports/system.js';
import type { Vault } from '../../../kernel/ports/vault.js';
import type { UniqueNames } from '../../access/uniqueNames.js';
import type { OpenCall } from '../../contract/call.js';
import type { Hashing, SignInGuard } from '../../contract/signInGuard.js';
import { emailUnitsMax, formsOf } from './emailAddress.js';
import { passwordName } from './passwordName.js';
import { hashedForms } from './wire.js';

export type CredentialNeeds = {
  readonly names: UniqueNames;
  readonly vault: Vault;
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
  readonly guard: SignInGuard;
};
type Credentials = { readonly email: string; readonly password: string };
/** Whose password it is, and the hash under which it was found. */
export type Holder = { readonly user: UserId; readonly hash: Uint8Array };

/**
 * The holder of this address and this password, else `INVALID_CREDENTIALS`, or `RATE_LIMITED` when the guard
 * has no try left. A password that is longer than any can be is not hashed, for any address. An account that signs in as
 * a former release kept it is brought to the forms of today: its password is hashed as prepared, its address claimed in
 * the canonical form.
 *
 * Reads, and takes, as much for an address that nobody has, with one exception. Two accounts of a former release may have
 * had two spellings of one address; for those spellings the password is compared with both.
 */
export const verified = async (
  needs: CredentialNeeds,
  call: OpenCall,
  { email, password }: Credentials,
): Promise<Holder | Rejection> => {
  const forms = formsOf(email);
  const users = await usersUnder(needs.names, forms);
  const attempt = {
    account: needs.names.nameOf('email', forms[0] ?? email.slice(0, emailUnitsMax)).key,
    isKnown: await hasOneSignedIn(needs, call, users),
  };
  return needs.guard.attempt(call, attempt, async (hashing) => {
    const holder = await holderOf({ ...needs, hashing }, users, password);
    if (holder === undefined) return reject('INVALID_CREDENTIALS');
    const [canonical] = forms;
    if (canonical !== undefined && forms.length > 1) await claimCanonical(needs.names, call, holder.user, canonical);
    return holder;
  });
};

/**
 * Whether it is the password still. Asked once a session is open: setting another password ends the sessions that are
 * open then, so that no session of the former one remains.
 */
export const isPasswordStill = async (
  { vault }: Pick<CredentialNeeds, 'vault'>,
  { user, hash }: Holder,
): Promise<boolean> => {
  const now = await vault.get(passwordName(user));
  return now instanceof Uint8Array && Buffer.compare(now, hash) === 0;
};

const usersUnder = async (names: UniqueNames, forms: readonly string[]): Promise<readonly UserId[]> => {
  const users = await Promise.all(forms.map((form) => names.holderOf(names.nameOf('email', form))));
  return [...new Set(users.filter((user) => user !== undefined))];
};

/** No account has this id. It is asked for in the place of one, so that an address which nobody has takes as long. */
const nobody = 0n as UserId;

const hasOneSignedIn = async (
  { streams, guard }: CredentialNeeds,
  call: OpenCall,
  users: readonly UserId[],
): Promise<boolean> => {
  const known = await Promise.all(
    (users.length === 0 ? [nobody] : users).map(async (user) => {
      const { state } = await streams.caughtUp(accountStream(user), accounts);
      return hasSignedInFrom(state, guard.networkKey(call, user));
    }),
  );
  return known.includes(true);
};

type HashingNeeds = Pick<CredentialNeeds, 'vault'> & { readonly hashing: Hashing };

const holderOf = async (
  needs: HashingNeeds,
  users: readonly UserId[],
  password: string,
): Promise<Holder | undefined> => {
  const passwords = hashedForms(password);
  const [prepared] = passwords;
  const holders = await holdersAmong(needs.vault, users);
  for (const holder of holders) {
    const matching = await firstMatching(needs.hashing, passwords, holder);
    if (matching === undefined) continue;
    return matching === prepared ? holder : moveHash(needs, holder, prepared);
  }
  if (holders.length === 0) for (const one of passwords) await needs.hashing.hash(one);
  return undefined;
};

/** Those that have a password. */
const holdersAmong = async (vault: Vault, users: readonly UserId[]): Promise<readonly Holder[]> => {
  const hashes = await Promise.all(users.map((user) => vault.get(passwordName(user))));
  return users.flatMap((user, index) => {
    const hash = hashes[index];
    return hash instanceof Uint8Array ? [{ user, hash }] : [];
  });
};

const firstMatching = async (
  hashing: Hashing,
  passwords: readonly string[],
  { hash }: Holder,
): Promise<string | undefined> => {
  for (const password of passwords) if (await hashing.verify(password, hash)) return password;
  return undefined;
};

/**
 * The holder with the hash that is there afterwards; undefined when the password was changed while the new hash was computed. A
 * sign-in must not fail because too many passwords are being hashed. Then the next sign-in moves the hash.
 */
const moveHash = async (
  { vault, hashing }: HashingNeeds,
  holder: Holder,
  prepared: string | undefined,
): Promise<Holder | undefined> => {
  if (prepared === undefined) return holder;
  const moved = await hashing.hash(prepared).catch((error: unknown) => {
    if (error instanceof HasherBusy) return undefined;
    throw error;
  });
  if (moved === undefined) return holder;
  const { user, hash } = holder;
  if ((await vault.replace(passwordName(user), hash, moved)) === 'stored') return { user, hash: moved };
  // Another sign-in may have moved it at the same time.
  const now = await vault.get(passwordName(user));
  return now instanceof Uint8Array && (await hashing.verify(prepared, now)) ? { user, hash: now } : undefined;
};

/** As at sign-up, the claim comes first, and then the account carries it. A form that another account has stays with it. */
const claimCanonical = async (names: UniqueNames, call: OpenCall, user: UserId, form: string): Promise<void> => {
  const name = names.nameOf('email', form);
  const isHeld = (await names.holderOf(name)) === user;
  const refused = isHeld ? undefined : await names.claim(call, name, user);
  if (refused !== undefined) return;
  await call.run(accounts, { type: 'AddEmailKey', data: { user, emailKey: name.key } }, { actor: user });
};
