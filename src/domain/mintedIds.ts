import { storedType } from '../kernel/codec.js';
import type { StoredEvent } from '../kernel/ports/eventLog.js';
import { accountEvents } from './accounts/events.js';
import { communityEvents } from './communities/events.js';
import { messageEvents } from './messages/events.js';

/**
 * The ids that came into the world with an event: those made from the clock, which later ids must be above. Other events
 * name ids as well, but only such as came before. Empty for events of other types, and for those
 * that cannot be read.
 */
export const mintedIds = (event: StoredEvent): readonly bigint[] => {
  const id = minting.get(event.type)?.(event);
  return id === undefined ? [] : [id];
};

type Minting = (event: StoredEvent) => bigint | undefined;

const decimal = /^[1-9]\d{0,18}$/;
const idIn = (text: unknown): bigint | undefined =>
  typeof text === 'string' && decimal.test(text) ? BigInt(text) : undefined;

/** Of streams that are named after one id. */
const inStream: Minting = ({ stream }) => idIn(stream.slice(stream.indexOf('-') + 1));

const inField =
  (field: string): Minting =>
  ({ data }) => {
    try {
      const parsed = JSON.parse(Buffer.from(data).toString()) as Readonly<Record<string, unknown>> | null;
      return idIn(parsed?.[field]);
    } catch {
      // A reader that needs the body of the event reports it.
      return undefined;
    }
  };

// A stream is cheaper to look at than a body, and most events are messages.
const minting = new Map<string, Minting>([
  [storedType(accountEvents.AccountRegistered), inStream],
  [storedType(accountEvents.SessionOpened), inField('session')],
  [storedType(communityEvents.CommunityCreated), inStream],
  [storedType(communityEvents.ChannelCreated), inField('channel')],
  [storedType(communityEvents.RoleCreated), inField('role')],
  [storedType(messageEvents.MessageSent), inStream],
]);
