import type { AccountEvent } from '../../../domain/accounts/events.js';
import { silent } from '../../contract/updates.js';
import { type Updates } from '../../contract/updates.js';
import type { View } from '../../contract/updateView.js';

export const accountUpdates: Updates<AccountEvent, View> = {
  'accounts.AccountRegistered.v1': silent,
  'accounts.SessionOpened.v1': silent,
  'accounts.SessionDeviceChanged.v1': silent,
  // The victims are told as well, and only then cut off.
  'accounts.SessionRevoked.v1': ({ data }) => [
    { audience: [data.user], update: { sessionDeleted: { sessionId: data.session } }, closes: data.session },
  ],
};
