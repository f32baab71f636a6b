import type { EventKind } from '../kernel/declareEvents.js';
import type { Event } from '../kernel/event.js';
import { accountEvents } from './accounts/events.js';
import { botEvents } from './bots/events.js';
import { communityEvents } from './communities/events.js';
import { dayCountEvents, identityEvents, keyCountEvents } from './deployments/events.js';
import { fileEvents, uploadEvents } from './files/events.js';
import { inviteEvents } from './invites/events.js';
import { memberEvents } from './members/events.js';
import { messageEvents } from './messages/events.js';
import { pinEvents } from './pins/events.js';
import { previewEvents } from './previews/events.js';
import { reactionEvents } from './reactions/events.js';
import { readEvents } from './reads/events.js';
import { reportEvents } from './reports/events.js';
import { reservationEvents } from './reservations/events.js';
import { stickerPackEvents } from './stickers/events.js';
import { userEvents } from './users/events.js';
import { visibilityEvents } from './visibility/events.js';

const packages: readonly Readonly<Record<string, EventKind>>[] = [
  accountEvents,
  botEvents,
  reservationEvents,
  userEvents,
  communityEvents,
  memberEvents,
  inviteEvents,
  messageEvents,
  pinEvents,
  previewEvents,
  uploadEvents,
  fileEvents,
  reactionEvents,
  readEvents,
  reportEvents,
  stickerPackEvents,
  identityEvents,
  keyCountEvents,
  dayCountEvents,
  visibilityEvents,
];

/** Every kind of event there is. The codec, docs/events.md and the golden samples follow from this list. */
export const eventKinds: readonly EventKind[] = packages.flatMap((declared) => Object.values(declared));

const permissionFacts: ReadonlySet<string> = new Set(
  eventKinds.flatMap(({ type, affects }) => (affects === 'permissions' ? [type] : [])),
);

/** Whether requests that follow such an event wait until `Access` has folded it. */
export const affectsPermissions = ({ type }: Pick<Event, 'type'>): boolean => permissionFacts.has(type);
