import { userStreams, type UserEvent } from '../../domain/users/events.js';
import type { DocumentKeys, DocumentType } from '../../kernel/document.js';
import type { UserId } from '../../kernel/ids.js';
import { whenThere } from '../runner/foldHelpers.js';
import type { UserDocument } from './documents.js';

export const userKey = (user: UserId): string => user.toString();

const ofUser = ({ data }: { readonly data: { readonly user: UserId } }): readonly string[] => [userKey(data.user)];

const keys: DocumentKeys<UserEvent> = {
  UserRegistered: ofUser,
  NameChanged: ofUser,
  UsernameChanged: ofUser,
  UsernameCleared: ofUser,
  BioChanged: ofUser,
  IconChanged: ofUser,
  IconCleared: ofUser,
  ColorChanged: ofUser,
  UserPhotoChanged: ofUser,
  UserPhotoRemoved: ofUser,
  BannerChanged: ofUser,
  BannerRemoved: ofUser,
};

export const userDocuments: DocumentType<UserDocument, UserEvent> = {
  name: 'users',
  version: 3,
  keys,
  streams: (key) => [userStreams.named(key)],
  indexes: {},
  evolve: {
    UserRegistered: (_, { data }) => ({ id: data.user, bot: data.bot, name: data.name }),
    NameChanged: whenThere((user, { data }) => ({ ...user, name: data.name })),
    UsernameChanged: whenThere((user, { data }) => ({ ...user, username: data.username })),
    UsernameCleared: whenThere(({ username: _, ...user }) => user),
    BioChanged: whenThere((user, { data }) => ({ ...user, bio: data.bio })),
    IconChanged: whenThere((user, { data }) => ({ ...user, icon: data.icon })),
    IconCleared: whenThere(({ icon: _, ...user }) => user),
    ColorChanged: whenThere((user, { data }) => ({ ...user, color: data.color })),
    UserPhotoChanged: whenThere((user, { data: { file, content } }) => ({ ...user, photo: { file, content } })),
    UserPhotoRemoved: whenThere(({ photo: _, ...user }) => user),
    BannerChanged: whenThere((user, { data: { file, content } }) => ({ ...user, banner: { file, content } })),
    BannerRemoved: whenThere(({ banner: _, ...user }) => user),
  },
};
