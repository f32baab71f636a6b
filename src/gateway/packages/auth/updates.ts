import type { AccountEvent } from '../../../domain/accounts/events.js';
import { silent, type Updates } from '../../contract/call.js';
import type { View } from '../../contract/viewerPermissions.js';

export const accountUpdates: Updates<AccountEvent, View> = {
  'accounts.AccountRegistered.v1': silent,
  'accounts.SessionOpened.v1': silent,
  'accounts.SessionDeviceChanged.v1': silent,
  // The victims are told as well, and only then cut off.
  'accounts.SessionRevoked.v1': ({ data }) => [
    { audience: [data.user], update: { sessionDeleted: { sessionId: data.session } }, closes: data.session },
  ],
};
