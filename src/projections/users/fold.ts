import type { UserEvent } from '../../domain/users/events.js';
import type { DocumentKeys, DocumentType } from '../../kernel/document.js';
import type { UserId } from '../../kernel/ids.js';
import { whenThere } from '../runner/foldHelpers.js';
import type { UserDocument } from './documents.js';

export const userKey = (user: UserId): string => user.toString();

const ofUser = ({ data }: { readonly data: { readonly user: UserId } }): readonly string[] => [userKey(data.user)];

const keys: DocumentKeys<UserEvent> = {
  'users.UserRegistered.v1': ofUser,
  'users.NameChanged.v1': ofUser,
  'users.UsernameChanged.v1': ofUser,
  'users.UsernameCleared.v1': ofUser,
  'users.BioChanged.v1': ofUser,
  'users.IconChanged.v1': ofUser,
  'users.IconCleared.v1': ofUser,
  'users.ColorChanged.v1': ofUser,
};

export const userDocuments: DocumentType<UserDocument, UserEvent> = {
  name: 'users',
  version: 1,
  keys,
  streams: (key) => [`user-${key}`],
  indexes: {},
  evolve: {
    'users.UserRegistered.v1': (_, { data }) => ({ id: data.user, bot: data.bot, name: data.name }),
    'users.NameChanged.v1': whenThere((user, { data }) => ({ ...user, name: data.name })),
    'users.UsernameChanged.v1': whenThere((user, { data }) => ({ ...user, username: data.username })),
    'users.UsernameCleared.v1': whenThere(({ username: _, ...user }) => user),
    'users.BioChanged.v1': whenThere((user, { data }) => ({ ...user, bio: data.bio })),
    'users.IconChanged.v1': whenThere((user, { data }) => ({ ...user, icon: data.icon })),
    'users.IconCleared.v1': whenThere(({ icon: _, ...user }) => user),
    'users.ColorChanged.v1': whenThere((user, { data }) => ({ ...user, color: data.color })),
  },
};
