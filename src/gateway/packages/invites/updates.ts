import type { InviteEvent } from '../../../domain/invites/events.js';
import { silent, type UpdateTable } from '../../contract/updates.js';
import type { UpdateView } from '../../contract/updateView.js';

/** The protocol has no update about invites. */
export const inviteUpdates: UpdateTable<InviteEvent, UpdateView> = {
  ChatInviteCreated: silent,
  InviteCreated: silent,
  InviteUsed: silent,
};
