import type { SnapshotSpec } from '../../kernel/decider.js';
import type { Fold } from '../../kernel/event.js';
import { defined } from '../../kernel/defined.js';
import type { FileId, Millis } from '../../kernel/ids.js';
import { type Personal, personal } from '../../kernel/personal.js';
import type { UserEvent } from './events.js';

export type UserState = { readonly status: 'absent' } | RegisteredUser;

export type RegisteredUser = {
  readonly status: 'registered';
  readonly name: Personal<string>;
  readonly username?: { readonly name: Personal<string>; readonly key: string };
  readonly bio: Personal<string>;
  readonly icon?: FileId;
  readonly color?: number;
  readonly photo?: FileId;
  readonly banner?: FileId;
  /** See `editPaid`. */
  readonly editsPaidUntil?: Millis;
};

export const initial: UserState = { status: 'absent' };

export const snapshots: SnapshotSpec = { name: 'userStates', version: 3 };

export const evolve: Fold<UserState, UserEvent> = {
  UserRegistered: (_, { data }) => ({ status: 'registered', name: data.name, bio: personal('') }),
  NameChanged: (state, { data }) => changed(state, data, (user) => ({ ...user, name: data.name })),
  UsernameChanged: (state, { data }) =>
    changed(state, data, (user) => ({ ...user, username: { name: data.username, key: data.usernameKey } })),
  UsernameCleared: (state, { data }) => changed(state, data, ({ username: _, ...user }) => user),
  BioChanged: (state, { data }) => changed(state, data, (user) => ({ ...user, bio: data.bio })),
  IconChanged: (state, { data }) => changed(state, data, (user) => ({ ...user, icon: data.icon })),
  IconCleared: (state, { data }) => changed(state, data, ({ icon: _, ...user }) => user),
  ColorChanged: (state, { data }) => changed(state, data, (user) => ({ ...user, color: data.color })),
  UserPhotoChanged: (state, { data }) => changed(state, data, (user) => ({ ...user, photo: data.file })),
  UserPhotoRemoved: (state, { data }) => changed(state, data, ({ photo: _, ...user }) => user),
  BannerChanged: (state, { data }) => changed(state, data, (user) => ({ ...user, banner: data.file })),
  BannerRemoved: (state, { data }) => changed(state, data, ({ banner: _, ...user }) => user),
};

const changed = (
  state: UserState,
  { editsPaidUntil }: Pick<RegisteredUser, 'editsPaidUntil'>,
  change: (user: RegisteredUser) => RegisteredUser,
): UserState => (state.status === 'absent' ? state : { ...change(state), ...defined({ editsPaidUntil }) });
