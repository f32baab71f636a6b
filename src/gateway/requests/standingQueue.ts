/**
 * How little the sender has asked for lately: from 0, for much, to `standingMax`, for nothing. It is asked when one is to be taken, because many
 * requests of the same sender may have begun since.
 */
export type SenderStanding = () => number;

export const standingMax = 16;

/** One of so many that are taken is the one that was added first, so that nobody waits for ever. */
export const takenBetweenEldest = 8;

/** Those of the highest standing are taken first; of those that stand alike, the one that was added first. */
export interface StandingQueue<Item> {
  /** Default: no standing. */
  add(this: void, item: Item, standing?: SenderStanding): void;
  take(this: void): Item | undefined;
  isEmpty(this: void): boolean;
}

type Placed<Item> = { readonly item: Item; readonly standing: SenderStanding; readonly number: number };

export const standingQueue = <Item>(): StandingQueue<Item> => {
  const levels: readonly Placed<Item>[][] = Array.from({ length: standingMax + 1 }, () => []);
  let added = 0;
  let taken = 0;
  let size = 0;

  /** Behind those that were added before. */
  const place = (placed: Placed<Item>): void => {
    const level = levels[levelOf(placed)] ?? [];
    const behind = level.findLastIndex(({ number }) => number < placed.number);
    level.splice(behind + 1, 0, placed);
  };
  const highest = (): Placed<Item> | undefined => {
    for (let level = standingMax; level >= 0;) {
      const first = levels[level]?.shift();
      if (first === undefined) level -= 1;
      else if (levelOf(first) >= level) return first;
      // Its standing has fallen since.
      else place(first);
    }
    return undefined;
  };
  const eldest = (): Placed<Item> | undefined =>
    levels.reduce((one, other) => (ageOf(other) < ageOf(one) ? other : one)).shift();

  return {
    add: (item, standing = none) => {
      added += 1;
      size += 1;
      place({ item, standing, number: added });
    },
    take: () => {
      if (size === 0) return undefined;
      size -= 1;
      taken += 1;
      return (taken % takenBetweenEldest === 0 ? eldest() : highest())?.item;
    },
    isEmpty: () => size === 0,
  };
};

const levelOf = ({ standing }: Pick<Placed<unknown>, 'standing'>): number =>
  Math.max(0, Math.min(standingMax, Math.floor(standing())));

const ageOf = ([front]: readonly Placed<unknown>[]): number => front?.number ?? Infinity;

const none: SenderStanding = () => 0;
