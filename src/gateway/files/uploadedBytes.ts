import { boundedMap } from '../../kernel/boundedMap.js';
import type { UserId } from '../../kernel/ids.js';

/** Users of whom a node remembers how much they have uploaded: so many, those who did last. */
export const uploadersMax = 50_000;

/** Bytes of the parts that each user sent to this node, a part that is sent again included. They are let go over a day. */
export interface UploadedBytes {
  /** False when the user has sent so much that this would be too much: it is not counted then. `now` is of the monotonic clock. */
  take(this: void, user: UserId, bytes: number, now: number): boolean;
}

type Uploaded = { readonly bytes: number; readonly at: number };

export const uploadedBytes = (bytesPerDayMax: number): UploadedBytes => {
  const users = boundedMap<UserId, Uploaded>({ entriesMax: uploadersMax });
  return {
    take: (user, bytes, now) => {
      const { bytes: before, at } = users.get(user) ?? { bytes: 0, at: now };
      const left = Math.max(0, before - (Math.max(0, now - at) / dayMillis) * bytesPerDayMax);
      if (left + bytes > bytesPerDayMax) return false;
      users.set(user, { bytes: left + bytes, at: now });
      return true;
    },
  };
};

const dayMillis = 86_400_000;
