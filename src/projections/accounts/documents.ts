import type { Millis, SessionId, UserId } from '../../kernel/ids.js';
import type { Personal } from '../../kernel/personal.js';

/** Key: the session's id, in decimal. Indexes: `byUser`: [user, session], `byUse`: [day, session]. A revoked session has no document. */
export type SessionDocument = {
  readonly id: SessionId;
  readonly user: UserId;
  /** SHA-256 of the token, in hex. */
  readonly tokenHash: string;
  readonly clientId: number;
  readonly deviceType: Personal<string>;
  readonly deviceVersion: Personal<string>;
  readonly appVersion: Personal<string>;
  readonly openedAt: Millis;
  /** The day, in the count of days of the deployment, on which it was opened or last noted to be in use. */
  readonly usedOn: number;
};
