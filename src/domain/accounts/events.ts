import { eventKind, type EventFrom } from '../../kernel/event.js';
import type { SessionId, UserId } from '../../kernel/ids.js';
import { count, flag, id, optional, text } from '../../kernel/schema.js';
import { userTopic } from '../../kernel/topics.js';

/** Streams: `account-<user>`: how somebody signs in, and their sessions. Secrets are in the vault, never here. */
export type AccountEvent = AccountRegistered | SessionOpened | SessionDeviceChanged | SessionRevoked;

const user = id<UserId>('user');
const session = id<SessionId>('session');
const about = (data: { readonly user: UserId }): string => userTopic(data.user);
const sealedFor = (data: { readonly user: UserId }) => ({
  subject: data.user,
  scope: `account.${data.user.toString()}`,
});
const device = { deviceType: text, deviceVersion: text, appVersion: text };

export const accountRegistered = eventKind('accounts.AccountRegistered.v1', {
  says: 'Somebody signed up. Without an e-mail address it is a guest account.',
  about,
  fields: { user, hasPassword: flag, emailKey: optional(text) },
  personal: { email: optional(text) },
  sealedFor,
});
export type AccountRegistered = EventFrom<typeof accountRegistered>;

export const sessionOpened = eventKind('accounts.SessionOpened.v1', {
  says: 'A session began with a sign-up or sign-in. `tokenHash` is the SHA-256 of its token, in hex.',
  about,
  fields: { user, session, tokenHash: text, clientId: count },
  personal: device,
  sealedFor,
});
export type SessionOpened = EventFrom<typeof sessionOpened>;

export const sessionDeviceChanged = eventKind('accounts.SessionDeviceChanged.v1', {
  says: 'A session came back from another device, application or version than before.',
  about,
  fields: { user, session, clientId: count },
  personal: device,
  sealedFor,
});
export type SessionDeviceChanged = EventFrom<typeof sessionDeviceChanged>;

export const sessionRevoked = eventKind('accounts.SessionRevoked.v1', {
  says: 'A session ended; its token is worth nothing from here on.',
  about,
  fields: { user, session },
});
export type SessionRevoked = EventFrom<typeof sessionRevoked>;

export const accountEvents = [accountRegistered, sessionOpened, sessionDeviceChanged, sessionRevoked] as const;
