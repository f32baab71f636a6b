import type { Millis, SessionId, UserId } from '../ids.js';

export type Status = 'online' | 'idle' | 'invisible';
export type Activity = {
  readonly title: string;
  readonly type: number;
  readonly startTime: bigint;
  readonly endTime?: bigint;
  readonly state?: string;
};

/** The presence of a user as one connected session states it. */
export type SessionPresence = {
  readonly user: UserId;
  readonly session: SessionId;
  readonly status: Status;
  readonly activities: readonly Activity[];
  readonly lastActive: Millis;
};

/** The connected sessions, over all nodes. Entries of a node that died go by themselves within 30 seconds. */
export interface Presence {
  /** Enters or replaces one session's presence on this node. */
  put(presence: SessionPresence): Promise<void>;
  remove(user: UserId, session: SessionId): Promise<void>;
  /** The sessions of each user, in the order of `users`; an empty list for who is not connected. */
  of(users: readonly UserId[]): Promise<readonly (readonly SessionPresence[])[]>;
  close(): Promise<void>;
}
