import type { InviteEvent } from '../../../domain/invites/events.js';
import { silent } from '../../contract/updates.js';
import { type Updates } from '../../contract/updates.js';
import type { View } from '../../contract/updateView.js';

/** The protocol has no update about invites. */
export const inviteUpdates: Updates<InviteEvent, View> = {
  'invites.InviteCreated.v1': silent,
  'invites.InviteUsed.v1': silent,
};
