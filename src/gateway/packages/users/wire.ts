import type { ProfileInit } from '../../../gen/users.js';
import type { CommunityId } from '../../../kernel/ids.js';
import { usernameKeyed, usernameTyped } from '../../../kernel/username.js';
import type { UserDocument } from '../../../projections/users/documents.js';
import { photoFor } from '../../rendering/photo.js';
import { shownText } from '../../rendering/user.js';

/** As it is reserved, the same for all spellings of one username; undefined for a text that is nobody's username. */
export const usernameAsked = (text: string): string | undefined => {
  const username = usernameTyped(text.replace(/^[@＠]/, ''));
  return username === undefined ? undefined : usernameKeyed(username);
};

/**
 * The part of a profile page beside the user: name and presence are not in it. Friends and colours of profiles are not
 * kept yet, so their fields are left out.
 */
export const profileFor = (
  { id, bio, banner }: UserDocument,
  mutualCommunities: readonly CommunityId[],
): ProfileInit => ({
  ref: { userId: id },
  bio: shownText(bio),
  banner: photoFor(banner),
  mutualCommunities,
});
