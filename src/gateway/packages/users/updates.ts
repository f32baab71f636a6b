import type { UserEvent } from '../../../domain/users/events.js';
import { userFor, type StatusOf } from '../../rendering/user.js';
import { silent, type UpdateTable, type Delivery } from '../../contract/updates.js';
import type { UpdateView } from '../../contract/updateView.js';

export const userUpdates = (statusOf: StatusOf): UpdateTable<UserEvent, UpdateView> => {
  const profileChanged = async ({ data: { user } }: UserEvent, view: UpdateView): Promise<readonly Delivery[]> => {
    // With their presence: a user without any is taken for offline.
    const [found, audience, [status]] = await Promise.all([view.user(user), view.seeing(user), statusOf([user])]);
    return found === undefined ? [] : [{ audience, update: { user: { userId: user, user: userFor(found, status) } } }];
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
  };
};
