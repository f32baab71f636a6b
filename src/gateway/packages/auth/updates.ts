import type { AccountEvent } from '../../../domain/accounts/events.js';
import { silent } from '../../contract/updates.js';
import { type UpdateTable } from '../../contract/updates.js';
import type { UpdateView } from '../../contract/updateView.js';

export const accountUpdates: UpdateTable<AccountEvent, UpdateView> = {
  'accounts.AccountRegistered.v1': silent,
  'accounts.SessionOpened.v1': silent,
  'accounts.SessionDeviceChanged.v1': silent,
  // The victims are told as well, and only then cut off.
  'accounts.SessionRevoked.v1': ({ data }) => [
    { audience: [data.user], update: { sessionDeleted: { sessionId: data.session } }, closes: data.session },
  ],
};
