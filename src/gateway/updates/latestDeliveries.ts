import type { UserId } from '../../kernel/ids.js';
import type { Delivery, LatestOnly } from '../contract/updates.js';

/** Deliveries that a later one of the same flush may make superfluous. */
export interface LatestDeliveries {
  /** `about`: the topic of its event. */
  add(about: string, delivery: HeldDelivery): void;
  /**
   * Those that must be sent before what else an event says that has this topic: the event is about their place, or
   * about the same thing as theirs. They are held no more.
   */
  before(about: string): readonly HeldDelivery[];
  /**
   * Everything that is held, by what it is about, also what comes while this is gone through. It is held
   * until it is given, so that `before` finds the rest.
   */
  all(): Iterable<readonly HeldDelivery[]>;
  /** Updates that are held. */
  size(): number;
}

export type LatestDelivery = Delivery & { readonly merge: LatestOnly };

/** `actor`: the user on whose request it is sent. */
export type HeldDelivery = LatestDelivery & { readonly actor: string | undefined };

export const isLatestOnly = (delivery: Delivery): delivery is LatestDelivery => typeof delivery.merge === 'object';

type Slot = { readonly about: string; readonly place: string; deliveries: readonly HeldDelivery[] };

export const latestDeliveries = (): LatestDeliveries => {
  // In the order in which each was first told of something, so a channel comes before the permissions in it.
  const slots = new Map<string, Slot>();
  let size = 0;

  const take = (isWanted: (slot: Slot) => boolean): readonly HeldDelivery[] => {
    const taken: HeldDelivery[] = [];
    for (const [name, slot] of slots) {
      if (!isWanted(slot)) continue;
      slots.delete(name);
      taken.push(...slot.deliveries);
    }
    size -= taken.length;
    return taken;
  };

  const end = (name: string, { audience }: HeldDelivery): void => {
    const slot = slots.get(name);
    if (slot === undefined) return;
    size -= slot.deliveries.length;
    slot.deliveries = without(slot.deliveries, audience);
    size += slot.deliveries.length;
    if (slot.deliveries.length === 0) slots.delete(name);
  };

  return {
    size: () => size,
    *all() {
      for (const [name, { deliveries }] of slots) {
        slots.delete(name);
        size -= deliveries.length;
        yield deliveries;
      }
    },
    before: (about) => (slots.size === 0 ? none : take((slot) => slot.about === about || slot.place === about)),
    add: (about, delivery) => {
      const { place, what, ends } = delivery.merge;
      if (ends !== undefined) end(`${place} ${ends}`, delivery);
      const name = `${place} ${what}`;
      const slot = slots.get(name) ?? { about, place, deliveries: none };
      size -= slot.deliveries.length;
      slot.deliveries = superseded(slot.deliveries, delivery);
      size += slot.deliveries.length;
      slots.set(name, slot);
    },
  };
};

const none: readonly HeldDelivery[] = [];

/** The recipients of the later one are sent nothing earlier; the others are, because it says nothing to them. */
const superseded = (earlier: readonly HeldDelivery[], later: HeldDelivery): readonly HeldDelivery[] => {
  // A list of its own: an audience that is asked for again may be another one by the time of the flush.
  const audience = Array.isArray(later.audience) ? later.audience : [...new Set(later.audience)];
  return [...without(earlier, later.audience), { ...later, audience }];
};

const without = (earlier: readonly HeldDelivery[], reachedLater: Iterable<UserId>): readonly HeldDelivery[] => {
  if (earlier.every(({ audience }) => audience === reachedLater)) return none;
  const reached = new Set(reachedLater);
  return earlier.flatMap((one): readonly HeldDelivery[] => {
    if (one.audience === reachedLater) return none;
    const audience: readonly UserId[] = Array.from(one.audience).filter((user) => !reached.has(user));
    return audience.length === 0 ? none : [{ ...one, audience }];
  });
};
