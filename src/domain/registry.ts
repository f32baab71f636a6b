import type { AnyEventKind } from '../kernel/event.js';
import { accountEvents } from './accounts/events.js';
import { communityEvents } from './communities/events.js';
import { inviteEvents } from './invites/events.js';
import { memberEvents } from './members/events.js';
import { messageEvents } from './messages/events.js';
import { readEvents } from './reads/events.js';
import { reservationEvents } from './reservations/events.js';
import { userEvents } from './users/events.js';

/** Every kind of event there is. The codec, docs/events.md and the golden samples follow from this list. */
export const eventKinds: readonly AnyEventKind[] = [
  ...accountEvents,
  ...reservationEvents,
  ...userEvents,
  ...communityEvents,
  ...memberEvents,
  ...inviteEvents,
  ...messageEvents,
  ...readEvents,
];
