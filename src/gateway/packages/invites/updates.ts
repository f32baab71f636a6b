import type { InviteEvent } from '../../../domain/invites/events.js';
import { silent, type Updates } from '../../contract/call.js';
import type { View } from '../../contract/viewerPermissions.js';

/** The protocol has no update about invites. */
export const inviteUpdates: Updates<InviteEvent, View> = {
  'invites.InviteCreated.v1': silent,
  'invites.InviteUsed.v1': silent,
};
