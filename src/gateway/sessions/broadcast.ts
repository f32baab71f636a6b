import type { Position } from '../../kernel/event.js';
import type { UserId } from '../../kernel/ids.js';
import { encodeUpdate } from '../../wire/envelope.js';
import { encodeUpdateTail, spliceableUpdate, withMoreFields } from '../../wire/spliceable.js';
import { Broadcast, noCount } from '../frames/frames.js';
import { fitsFrame, type Outgoing } from '../frames/outbox.js';
import type { Present } from './roster.js';
import type { Delivery } from '../contract/updates.js';
import type { Standpoint } from './session.js';

export type BroadcastNeeds = {
  /** Of the event that the update is for; ephemeral updates have none. */
  readonly position: Position | undefined;
  readonly here: ReadonlyMap<UserId, Present>;
  readonly alarm: (message: string, details: object) => void;
};

/** Puts one update on its way to all who are here. Counts deliveries. */
export const broadcast = (audience: Recipients, told: Delivery, { position, here, alarm }: BroadcastNeeds): number => {
  const { presents, places, outboxes, standpoints } = audience;
  if (presents.length === 0) return 0;
  const { common, owner, owners } = castsOf(told, here);
  if (!fitsFrame(common.bytesMax)) {
    alarm('an update is too large to be sent', { update: Object.keys(told.update)[0], bytes: common.bytesMax });
    return 0;
  }
  const counts = told.perRecipient?.counts;
  for (let index = 0; index < presents.length; index += 1) {
    const count = counts?.[places[index] ?? 0] ?? noCount;
    outboxes[index]?.broadcast(presents[index] === owner ? owners : common, count);
  }
  if (position !== undefined) for (const standpoint of standpoints) standpoint.told = position;
  return presents.length;
};

/** `owners`: the one for the owner, who is sent more fields than all others. */
type Casts = { readonly common: Broadcast; readonly owner: Present | undefined; readonly owners: Broadcast };

const castsOf = ({ update, perRecipient }: Delivery, here: BroadcastNeeds['here']): Casts => {
  if (perRecipient === undefined) return forAll(new Broadcast(encodeUpdate(update)));
  const { countField, own } = perRecipient;
  const tailOf = (count: number): Uint8Array => encodeUpdateTail(countField(count));
  const shared = spliceableUpdate(update);
  const common = new Broadcast({ update: shared, tailOf });
  const owner = own && here.get(own.recipient);
  if (own === undefined || owner === undefined) return forAll(common);
  return { common, owner, owners: new Broadcast({ update: withMoreFields(shared, own.fields), tailOf }) };
};

const forAll = (common: Broadcast): Casts => ({ common, owner: undefined, owners: common });

/**
 * The connections of an audience that are sent updates. Of each, at the same index: whose it is, where that user stands
 * in the audience, and the state that a delivery touches. Flat, because the way there over user, connection and session
 * costs more than the delivery.
 */
export type Recipients = {
  readonly presents: readonly Present[];
  readonly places: readonly number[];
  readonly outboxes: readonly Outgoing[];
  readonly standpoints: readonly Standpoint[];
};

/** Below this many a lookup of each costs less than to remember them. */
const rememberedAudienceMin = 16;

export interface RecipientIndex {
  of(audience: Iterable<UserId>): Recipients;
  /** Other connections listen now. */
  changed(): void;
}

/**
 * The members of an audience who are here. A channel's audience is the same array for as long as it has the same
 * viewers, so it need not be looked up again for every message.
 */
export const recipientIndex = (here: ReadonlyMap<UserId, Present>): RecipientIndex => {
  let known = new WeakMap<object, Recipients>();
  return {
    changed: (): void => {
      known = new WeakMap();
    },
    of: (audience: Iterable<UserId>): Recipients => {
      const remembered = known.get(audience);
      if (remembered !== undefined) return remembered;
      const users = [...audience];
      const found = listeningOf(users.map((user) => here.get(user)));
      // Anything but an array may give others the next time.
      if (Array.isArray(audience) && users.length >= rememberedAudienceMin) known.set(audience, found);
      return found;
    },
  };
};

const listeningOf = (users: readonly (Present | undefined)[]): Recipients => {
  const presents: Present[] = [];
  const places: number[] = [];
  const outboxes: Outgoing[] = [];
  const standpoints: Standpoint[] = [];
  for (const [place, present] of users.entries()) {
    for (const { outbox, session } of present?.listening ?? []) {
      if (present === undefined || session === undefined) continue;
      presents.push(present);
      places.push(place);
      outboxes.push(outbox);
      standpoints.push(session.standpoint);
    }
  }
  return { presents, places, outboxes, standpoints };
};
