import { accounts } from '../../../domain/accounts/decide.js';
import type { UserId } from '../../../kernel/ids.js';
import { HasherBusy, type PasswordHasher } from '../../../kernel/ports/system.js';
import type { Vault } from '../../../kernel/ports/vault.js';
import type { UniqueNames } from '../../access/uniqueNames.js';
import type { OpenCall } from '../../contract/call.js';
import { formsOf } from './emailAddress.js';
import { hashedForms, passwordName } from './wire.js';

type CredentialNeeds = { readonly names: UniqueNames; readonly vault: Vault; readonly hasher: PasswordHasher };
type Credentials = { readonly email: string; readonly password: string };
type Holder = { readonly user: UserId; readonly hash: Uint8Array };

/**
 * The user to whom this address and this password belong. A password that is longer than any can be is not hashed, for
 * any address. An account that signs in as a former release kept it is brought to the forms of today: its password is
 * hashed as prepared, its address claimed in the canonical form.
 *
 * Takes as long for an address that nobody has, with one exception. Two accounts of a former release may have had two
 * spellings of one address; for those spellings the password is compared with both.
 */
export const verified = async (
  needs: CredentialNeeds,
  call: OpenCall,
  { email, password }: Credentials,
): Promise<UserId | undefined> => {
  const passwords = hashedForms(password);
  const forms = formsOf(email);
  const [prepared] = passwords;
  const [canonical] = forms;
  const holders = await holdersOf(needs, forms);
  for (const holder of holders) {
    const matching = await firstMatching(needs.hasher, passwords, holder);
    if (matching === undefined) continue;
    if (matching !== prepared) await moveHash(needs, holder, prepared);
    if (canonical !== undefined && forms.length > 1) await claimCanonical(needs.names, call, holder.user, canonical);
    return holder.user;
  }
  if (holders.length === 0) for (const one of passwords) await needs.hasher.hash(one);
  return undefined;
};

/** The accounts under these forms that have a password, at most one for each form. */
const holdersOf = async ({ names, vault }: CredentialNeeds, forms: readonly string[]): Promise<readonly Holder[]> => {
  const users = await Promise.all(forms.map((form) => names.holderOf(names.nameOf('email', form))));
  const distinct = [...new Set(users.filter((user) => user !== undefined))];
  const hashes = await Promise.all(distinct.map((user) => vault.get(passwordName(user))));
  return distinct.flatMap((user, index) => {
    const hash = hashes[index];
    return hash instanceof Uint8Array ? [{ user, hash }] : [];
  });
};

const firstMatching = async (
  hasher: PasswordHasher,
  passwords: readonly string[],
  { hash }: Holder,
): Promise<string | undefined> => {
  for (const password of passwords) if (await hasher.verify(password, hash)) return password;
  return undefined;
};

/** A sign-in must not fail because too many passwords are being hashed. Then the next sign-in moves the hash. */
const moveHash = async (
  { vault, hasher }: CredentialNeeds,
  { user, hash }: Holder,
  prepared: string | undefined,
): Promise<void> => {
  if (prepared === undefined) return;
  const moved = await hasher.hash(prepared).catch((error: unknown) => {
    if (error instanceof HasherBusy) return undefined;
    throw error;
  });
  const now = await vault.get(passwordName(user));
  // The password may have been changed while the new hash was computed.
  const isSame = now instanceof Uint8Array && Buffer.compare(now, hash) === 0;
  if (moved !== undefined && isSame) await vault.put(passwordName(user), moved);
};

/** As at sign-up, the claim comes first, and then the account carries it. A form that another account has stays with it. */
const claimCanonical = async (names: UniqueNames, call: OpenCall, user: UserId, form: string): Promise<void> => {
  const name = names.nameOf('email', form);
  const isHeld = (await names.holderOf(name)) === user;
  const refused = isHeld ? undefined : await names.claim(call, name, user);
  if (refused !== undefined) return;
  await call.run(accounts, { type: 'AddEmailKey', data: { user, emailKey: name.key } }, { actor: user });
};
