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

/** The last statement of a session about itself, and its time. */
export type StatedPresence = Omit<SessionPresence, 'lastActive'> & { readonly at: Millis };

/** How long a statement of a session is kept. */
export const statedMillisMax = 600_000;

/**
 * How long the sessions of a node that stopped are shown on, so that a client that comes back to another node, or to
 * this one after its restart, was never away.
 */
export const returnMillisMax = 15_000;

/**
 * The connected sessions, over all nodes. Entries of a node that stopped go after `returnMillisMax`, those of a node
 * that died within 30 seconds.
 */
export interface Presence {
  /** Enters or replaces one session's presence on this node. */
  put(presence: SessionPresence): Promise<void>;
  remove(user: UserId, session: SessionId): Promise<void>;
  /** The sessions of each user, in the order of `users`; an empty list for who is not connected. */
  of(users: readonly UserId[]): Promise<readonly (readonly SessionPresence[])[]>;
  /**
   * Keeps a statement for `statedMillisMax` from now, on all nodes. A later statement of the session that is kept
   * already stays instead.
   */
  keep(stated: StatedPresence): Promise<void>;
  /** The last statement of the session, if it is kept still. */
  kept(user: UserId, session: SessionId): Promise<StatedPresence | undefined>;
  close(): Promise<void>;
}

/** Seals what leaves the process, under a key of the deployment. */
export interface PresenceSeal {
  /** `about` names what it is bound to: printable, without spaces. */
  seal(this: void, about: string, plain: string): string;
  /** `undefined` when it does not open: it is damaged, of another deployment or about something else. */
  open(this: void, about: string, sealed: string): string | undefined;
}
