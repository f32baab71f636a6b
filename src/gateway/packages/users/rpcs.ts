import { reject } from '../../../kernel/decider.js';
import type { UserId } from '../../../kernel/ids.js';
import { usernameKeyed } from '../../../kernel/username.js';
import type { Reads } from '../../../projections/reading/queries.js';
import type { UserDocument } from '../../../projections/users/documents.js';
import { user } from '../../../projections/users/queries.js';
import { mutualCommunities, statusesFor } from '../../access/mutuals.js';
import { soonerOrLater } from '../../access/soonerOrLater.js';
import type { UniqueNames } from '../../access/uniqueNames.js';
import type { Call } from '../../contract/call.js';
import type { Handlers } from '../../contract/handlers.js';
import type { Access } from '../../contract/viewerPermissions.js';
import { shownText, userFor, type StatusOf } from '../../rendering/user.js';
import { profileFor, usernameAsked } from './wire.js';

export type UserNeeds = {
  readonly access: Access;
  readonly reads: Reads;
  readonly names: Pick<UniqueNames, 'nameOf' | 'holderOf'>;
  readonly statusOf: StatusOf;
};

export const userRpcs = (needs: UserNeeds): Handlers<'usersLookupUsername' | 'usersGetProfile'> => ({
  async usersLookupUsername({ username }, call) {
    const found = await userNamed(needs, call, username);
    if (found === undefined) return reject('USER_NOT_FOUND');
    const [status] = await statusesFor(needs, call)([found.id]);
    return { userDetails: { user: userFor(found, status) } };
  },

  async usersGetProfile({ ref, includeMutuals }, call) {
    if (ref === undefined) return reject('INVALID_ARGUMENT', 'no user is named');
    await call.keysUpToDate('users');
    const found = await soonerOrLater(call, ['users'], () => user(needs.reads, ref.userId));
    if (found === undefined) return reject('USER_NOT_FOUND');
    const mutual = includeMutuals ? await mutualCommunities(needs, call, found.id) : [];
    return { profile: profileFor(found, mutual) };
  },
});

/** No user has this id. */
const nobody = 0n as UserId;

/** A claim on a username may be older or younger than the profile that carries it, so both are asked. */
const userNamed = async ({ names, reads }: UserNeeds, call: Call, typed: string): Promise<UserDocument | undefined> => {
  const username = usernameAsked(typed);
  if (username === undefined) return undefined;
  const name = names.nameOf('username', username);
  // Asked again with all that is in the log, also where nobody holds the name: a miss is never quicker than a hit.
  const carrier = async (): Promise<UserDocument | undefined> => {
    const holder = await names.holderOf(name);
    const found = await user(reads, holder ?? nobody);
    const carried = shownText(found?.username);
    return carried !== undefined && usernameKeyed(carried) === username ? found : undefined;
  };
  await call.keysUpToDate('users');
  return soonerOrLater(call, ['users'], carrier);
};
