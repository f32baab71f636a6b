import type { UserStatusInit } from '../../gen/types.js';
import { boundedMap } from '../../kernel/boundedMap.js';
import { heldBytes } from '../../kernel/heldBytes.js';
import type { UserId } from '../../kernel/ids.js';
import type { Timers } from '../../kernel/ports/leases.js';
import type { StatusOf } from '../rendering/user.js';

/** How many users are remembered; the one who was not asked for lately gives way. */
export const rememberedUsersMax = 10_000;

/** The memory that what is remembered of them may take: an activity may have a kilobyte, and each has up to five. */
export const rememberedBytesMax = 8_388_608;

/** After this time a user is asked for again: a node that was cut off from the others has not heard what changed. */
export const rememberedMillisMax = 30_000;

/** The statuses shown of users who are asked for all the time, as the authors of messages are. */
export interface Statuses {
  of(this: void, user: UserId): UserStatusInit | undefined | Promise<UserStatusInit | undefined>;
  /** Something else may be shown of the user now. */
  changed(this: void, user: UserId): void;
}

type Remembered = {
  readonly at: number;
  /** A promise while it is asked for. */
  readonly shown: UserStatusInit | undefined | Promise<UserStatusInit | undefined>;
  /** Known once the status is. */
  readonly bytes: number;
};

/** Presence may be on another machine, and the fan-out would have to wait for it with each message. */
export const rememberedStatuses = (statusOf: StatusOf, timers: Pick<Timers, 'now'>): Statuses => {
  const known = boundedMap<UserId, Remembered>({
    entriesMax: rememberedUsersMax,
    bytesMax: rememberedBytesMax,
    bytesOf: ({ bytes }) => Math.max(1, bytes),
  });

  const ask = (user: UserId): Promise<UserStatusInit | undefined> => {
    const shown = statusOf([user]).then(([status]) => status);
    const remembered: Remembered = { at: timers.now(), shown, bytes: 0 };
    known.set(user, remembered);
    const settled = (work: () => void): void => {
      if (known.peek(user) === remembered) work();
    };
    shown.then(
      (status) => {
        settled(() => {
          known.set(user, { ...remembered, shown: status, bytes: heldBytes(status) });
        });
      },
      () => {
        settled(() => known.delete(user));
      },
    );
    return shown;
  };

  return {
    of: (user) => {
      const remembered = known.get(user);
      const isOld = remembered === undefined || timers.now() - remembered.at > rememberedMillisMax;
      return isOld ? ask(user) : remembered.shown;
    },
    changed: (user) => {
      known.delete(user);
    },
  };
};
