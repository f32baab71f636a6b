import { beforeDays, type AccountEvent } from '../../domain/accounts/events.js';
import type { DocumentType } from '../../kernel/document.js';
import type { SessionId } from '../../kernel/ids.js';
import { none, removed, unchanged, whenThere } from '../runner/foldHelpers.js';
import type { SessionDocument } from './documents.js';

export const sessionKey = (session: SessionId): string => session.toString();

const ofSession = ({ data }: { readonly data: { readonly session: SessionId } }): readonly string[] => [
  sessionKey(data.session),
];

export const sessionDocuments: DocumentType<SessionDocument, AccountEvent> = {
  name: 'sessions',
  version: 2,
  keys: {
    AccountRegistered: none,
    EmailKeyAdded: none,
    SessionOpened: ofSession,
    SessionDeviceChanged: ofSession,
    SessionUsed: ofSession,
    SessionRevoked: ofSession,
    BotRetired: none,
  },
  // A session's events are in the stream of its account, which its key does not name.
  streams: 'log',
  indexes: { byUser: ({ user, id }) => [[user, id]], byUse: ({ usedOn, id }) => [[usedOn, id]] },
  evolve: {
    AccountRegistered: unchanged,
    EmailKeyAdded: unchanged,
    SessionOpened: (_, { data, at }) => ({
      id: data.session,
      user: data.user,
      tokenHash: data.tokenHash,
      clientId: data.clientId,
      deviceType: data.deviceType,
      deviceVersion: data.deviceVersion,
      appVersion: data.appVersion,
      openedAt: at,
      usedOn: data.day ?? beforeDays,
    }),
    SessionDeviceChanged: whenThere((session, { data }) => ({
      ...session,
      clientId: data.clientId,
      deviceType: data.deviceType,
      deviceVersion: data.deviceVersion,
      appVersion: data.appVersion,
    })),
    SessionUsed: whenThere((session, { data }) => ({ ...session, usedOn: data.day })),
    SessionRevoked: removed,
    BotRetired: unchanged,
  },
};
