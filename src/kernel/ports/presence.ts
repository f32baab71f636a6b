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

/** What a session said of itself last, and when. */
export type StatedPresence = Omit<SessionPresence, 'lastActive'> & { readonly at: Millis };

/** How long it is kept what a session said of itself. */
export const statedMillisMax = 600_000;

/**
 * How long the sessions of a node that stopped are shown on, so that who comes back to another node, or to this one
 * after its restart, was never away.
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
   * Keeps what a session said for `statedMillisMax` from now, on all nodes. Something that it said later, and that is
   * kept already, stays instead.
   */
  keep(stated: StatedPresence): Promise<void>;
  /** What the session said last, if that is kept still. */
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
