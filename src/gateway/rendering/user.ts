import { type UserInit, type UserStatusInit } from '../../gen/types.js';
import type { UserId } from '../../kernel/ids.js';
import { unless } from '../../kernel/opened.js';
import type { Personal } from '../../kernel/personal.js';
import type { Reads } from '../../projections/reading/queries.js';
import type { UserDocument } from '../../projections/users/documents.js';
import { photoFor } from './photo.js';
import { usersById } from '../../projections/users/queries.js';

/**
 * The presence of users as others see it, in the order asked; undefined for a user who is offline or wants to seem so.
 */
export type StatusOf = (users: readonly UserId[]) => Promise<readonly (UserStatusInit | undefined)[]>;

/** The text in the place of a name that was erased. */
export const erasedName = 'Deleted';

export const shownName = (name: Personal<string>): string => unless(name, erasedName);
/** Optional texts are left out when they are erased or empty. */
export const shownText = (text: Personal<string> | undefined): string | undefined => {
  const shown = text && unless(text, '');
  return shown === '' ? undefined : shown;
};

export const userFor = (user: UserDocument, status?: UserStatusInit): UserInit => ({
  id: user.id,
  name: shownName(user.name),
  username: shownText(user.username),
  photo: photoFor(user.photo),
  status,
  bot: user.bot,
  icon: user.icon,
  color: user.color,
});

/** A user without a profile any more is still named, so that nobody misses the id. */
export const erasedUser = (id: UserId): UserInit => ({ id, name: erasedName });

/** In the order of `ids`, with their presence. */
export const usersFor = async (
  { reads, statusOf }: { readonly reads: Reads; readonly statusOf: StatusOf },
  ids: readonly UserId[],
): Promise<readonly UserInit[]> => {
  const [found, statuses] = await Promise.all([usersById(reads, ids), statusOf(ids)]);
  const known = new Map(found.map((user) => [user.id, user]));
  return ids.map((id, index) => {
    const user = known.get(id);
    return user === undefined ? erasedUser(id) : userFor(user, statuses[index]);
  });
};
