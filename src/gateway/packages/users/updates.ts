import type { UserEvent } from '../../../domain/users/events.js';
import { userFor, type StatusOf } from '../../rendering/user.js';
import { perRendering, type AlikeUsers } from '../../contract/perRendering.js';
import { silent, type UpdateTable, type Delivery } from '../../contract/updates.js';
import type { UpdateView } from '../../contract/updateView.js';

export const userUpdates = (statusOf: StatusOf): UpdateTable<UserEvent, UpdateView> => {
  const profileChanged = async ({ data: { user } }: UserEvent, view: UpdateView): Promise<readonly Delivery[]> => {
    // With their presence: a user without any is taken for offline.
    const [found, seeing, [status]] = await Promise.all([view.user(user), view.seeing(user), statusOf([user])]);
    if (found === undefined) return [];
    // Last, so that nobody is in it who has left.
    const acquainted = await view.statusAudience(user);
    return perRendering(
      Array.from(seeing, (viewer): AlikeUsers => [viewer]),
      (viewer) => (acquainted.has(viewer) ? 'with presence' : 'without'),
      (viewer) => ({
        update: { user: { userId: user, user: userFor(found, acquainted.has(viewer) ? status : undefined) } },
      }),
    );
  };
  return {
    UserRegistered: silent,
    NameChanged: profileChanged,
    UsernameChanged: profileChanged,
    UsernameCleared: profileChanged,
    // The text is not in the update; it is the hint on which an open profile page asks again.
    BioChanged: profileChanged,
    IconChanged: profileChanged,
    IconCleared: profileChanged,
    ColorChanged: profileChanged,
    UserPhotoChanged: profileChanged,
    UserPhotoRemoved: profileChanged,
    // Nor is the banner in it.
    BannerChanged: profileChanged,
    BannerRemoved: profileChanged,
  };
};
