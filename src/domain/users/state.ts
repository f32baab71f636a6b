import type { Fold, Personal } from '../../kernel/event.js';
import type { FileId } from '../../kernel/ids.js';
import type { UserEvent } from './events.js';

export type UserState = { readonly status: 'absent' } | RegisteredUser;

export type RegisteredUser = {
  readonly status: 'registered';
  readonly name: Personal<string>;
  readonly username?: { readonly name: Personal<string>; readonly key: string };
  readonly bio: Personal<string>;
  readonly icon?: FileId;
  readonly color?: number;
};

export const initial: UserState = { status: 'absent' };

export const evolve: Fold<UserState, UserEvent> = {
  'users.UserRegistered.v1': (_, { data }) => ({ status: 'registered', name: data.name, bio: '' }),
  'users.NameChanged.v1': (state, { data }) => changed(state, (user) => ({ ...user, name: data.name })),
  'users.UsernameChanged.v1': (state, { data }) =>
    changed(state, (user) => ({ ...user, username: { name: data.username, key: data.usernameKey } })),
  'users.UsernameCleared.v1': (state) => changed(state, ({ username: _, ...user }) => user),
  'users.BioChanged.v1': (state, { data }) => changed(state, (user) => ({ ...user, bio: data.bio })),
  'users.IconChanged.v1': (state, { data }) => changed(state, (user) => ({ ...user, icon: data.icon })),
  'users.IconCleared.v1': (state) => changed(state, ({ icon: _, ...user }) => user),
  'users.ColorChanged.v1': (state, { data }) => changed(state, (user) => ({ ...user, color: data.color })),
};

const changed = (state: UserState, change: (user: RegisteredUser) => RegisteredUser): UserState =>
  state.status === 'absent' ? state : change(state);
