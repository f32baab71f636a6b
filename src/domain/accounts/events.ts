import { declareEvents, type EventsOf } from '../../kernel/declareEvents.js';
import type { SessionId, UserId } from '../../kernel/ids.js';
import { added, count, flag, id, optional, text } from '../../kernel/schema.js';
import { accountScope } from '../../kernel/scopes.js';
import { streamFamily } from '../../kernel/streams.js';
import { userTopic } from '../../kernel/topics.js';

const user = id<UserId>('user');
const session = id<SessionId>('session');

export const accountStreams = streamFamily('account');
export const accountStream = (user: UserId): string => accountStreams.named(user.toString());

type OfUser = { readonly user: UserId };
const stream = (data: OfUser): string => accountStream(data.user);
const about = (data: OfUser): string => userTopic(data.user);
const sealedFor = (data: OfUser) => ({ subject: data.user, scope: accountScope(data.user) });
const device = { deviceType: text, deviceVersion: text, appVersion: text };

/** Streams: `account-<user>`: how somebody signs in, and their sessions. Secrets are in the vault, never here. */
export const accountEvents = declareEvents(
  'accounts',
  { stream, about, sealedFor },
  {
    AccountRegistered: {
      says: 'Somebody signed up. Without an e-mail address it is a guest account. With `owner` the operator made it for a bot of that user, which comes in by its token alone.',
      mints: 'stream',
      fields: { user, hasPassword: flag, emailKey: optional(text), owner: added(id<UserId>('user')) },
      personal: { email: optional(text) },
    },
    EmailKeyAdded: {
      says: 'The e-mail address of an account is reserved under one more key, in a newer form of addresses. The keys before it stay.',
      fields: { user, emailKey: text },
    },
    SessionOpened: {
      says: 'A session began with a sign-up or sign-in. `tokenHash` is the SHA-256 of its token, in hex. `network` is a keyed hash of the network, there when the account had not signed in from it before. `day`: of the count of days of the deployment; 0 where there is none. `withoutNetwork` says that the network is not there.',
      mints: { field: 'session' },
      fields: { user, session, tokenHash: text, clientId: count, day: added(count), withoutNetwork: added(flag) },
      personal: { ...device, network: added(text) },
    },
    SessionDeviceChanged: {
      says: 'A session came back from another device, application or version than before.',
      fields: { user, session, clientId: count },
      personal: device,
    },
    SessionUsed: {
      says: 'A session is in use on this day of the count of days of the deployment. At most one in 30 days.',
      fields: { user, session, day: count },
    },
    SessionRevoked: {
      says: 'A session ended; its token is worth nothing from here on.',
      fields: { user, session },
    },
    BotRetired: {
      says: 'The operator deleted the bot that this account is of: it gets no session any more. Its profile stays, because its messages do.',
      fields: { user },
    },
  },
);
export type AccountEvent = EventsOf<typeof accountEvents>;

/** The day of sessions of before days were counted: their time begins with the count. */
export const beforeDays = 0;
