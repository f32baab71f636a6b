import type { AccountEvent } from '../../../domain/accounts/events.js';
import { silent, type UpdateTable } from '../../contract/updates.js';
import type { UpdateView } from '../../contract/updateView.js';

export const accountUpdates: UpdateTable<AccountEvent, UpdateView> = {
  AccountRegistered: silent,
  EmailKeyAdded: silent,
  SessionOpened: silent,
  SessionDeviceChanged: silent,
  SessionUsed: silent,
  // Its sessions were told of their own end.
  BotRetired: silent,
  // The victims are sent the update as well, and only then cut off.
  SessionRevoked: ({ data }) => [
    { audience: [data.user], update: { sessionDeleted: { sessionId: data.session } }, closes: data.session },
  ],
};
