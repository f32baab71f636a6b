import { isRejection, reject, type Decider, type Rejection } from '../../kernel/decider.js';
import { displayName } from '../../kernel/displayName.js';
import { paced } from '../../kernel/editPace.js';
import { defined } from '../../kernel/defined.js';
import type { FileId, UserId } from '../../kernel/ids.js';
import { opened } from '../../kernel/opened.js';
import type { WrittenEvent } from '../../kernel/personal.js';
import type { PhotoChange, ProfileChanges, UserCommand, UsernameChange } from './commands.js';
import { userStream, type UserEvent } from './events.js';
import { evolve, initial, snapshots, type RegisteredUser, type UserState } from './state.js';

/** In UTF-16 code units. */
export const nameUnitsMax = 64;
export const bioUnitsMax = 2000;
export const colorMax = 0xffffff;

export const users: Decider<UserCommand, UserState, UserEvent> = {
  stream: ({ data }) => userStream(data.user),
  initial,
  evolve,
  begins: ['RegisterUser'],
  snapshots,
  rules: {
    RegisterUser: ({ user, name: typed, bot }, state) => {
      const current = state.status === 'absent' ? undefined : opened(state.name);
      const name = displayName(typed, nameUnitsMax, current);
      if (isRejection(name)) return name;
      if (state.status === 'absent') return [{ type: 'UserRegistered', data: { user, name, bot } }];
      return current === name ? [] : reject('CONFLICT');
    },

    EditProfile: ({ user, at, ...changes }, state) => {
      if (state.status === 'absent') return reject('USER_NOT_FOUND');
      const events = outrun(changes, state) ?? edited(user, changes, state);
      return isRejection(events) ? events : paced(events, state.editsPaidUntil, at);
    },

    EditProfilePhoto: ({ user, at, to }, state) => {
      if (state.status === 'absent') return reject('USER_NOT_FOUND');
      const types = { changed: 'UserPhotoChanged', removed: 'UserPhotoRemoved' } as const;
      return paced(pictureEdited(user, to, state.photo, types), state.editsPaidUntil, at);
    },

    EditProfileBanner: ({ user, at, to }, state) => {
      if (state.status === 'absent') return reject('USER_NOT_FOUND');
      const types = { changed: 'BannerChanged', removed: 'BannerRemoved' } as const;
      return paced(pictureEdited(user, to, state.banner, types), state.editsPaidUntil, at);
    },
  },
};

/** An edit of a profile that there is. */
type ProfileEvent = Exclude<WrittenEvent<UserEvent>, { readonly type: 'UserRegistered' }>;

// Another session changed the username at the same time: the claims to take and to give up were decided on the old one.
const outrun = ({ username }: ProfileChanges, now: RegisteredUser): Rejection | undefined =>
  username === undefined || username.from === now.username?.key ? undefined : reject('CONFLICT');

const edited = (user: UserId, changes: ProfileChanges, now: RegisteredUser): readonly ProfileEvent[] | Rejection => {
  const current = opened(now.name);
  const named = changes.name === undefined ? undefined : displayName(changes.name, nameUnitsMax, current);
  if (isRejection(named)) return named;
  return [
    ...unlessSame(named, current, (name) => ({ type: 'NameChanged', data: { user, name } })),
    ...usernameEdited(user, changes.username?.to, now),
    ...unlessSame(changes.bio, opened(now.bio), (bio) => ({ type: 'BioChanged', data: { user, bio } })),
    ...iconEdited(user, changes.icon, now),
    ...unlessSame(changes.color, now.color, (color) => ({ type: 'ColorChanged', data: { user, color } })),
  ];
};

const unlessSame = <T>(
  wanted: T | undefined,
  now: unknown,
  event: (value: T) => ProfileEvent,
): readonly ProfileEvent[] => (wanted === undefined || wanted === now ? [] : [event(wanted)]);

const usernameEdited = (
  user: UserId,
  wanted: UsernameChange['to'] | undefined,
  { username }: RegisteredUser,
): readonly ProfileEvent[] => {
  if (wanted === undefined) return [];
  if (wanted === 'cleared') return username === undefined ? [] : [{ type: 'UsernameCleared', data: { user } }];
  // The key is the same for spellings that differ in case only, so the spelling is compared too.
  if (wanted.key === username?.key && wanted.name === opened(username.name)) return [];
  return [{ type: 'UsernameChanged', data: { user, username: wanted.name, usernameKey: wanted.key } }];
};

const iconEdited = (
  user: UserId,
  wanted: ProfileChanges['icon'],
  { icon }: RegisteredUser,
): readonly ProfileEvent[] => {
  if (wanted === undefined || wanted === icon) return [];
  if (wanted !== 'cleared') return [{ type: 'IconChanged', data: { user, icon: wanted } }];
  return icon === undefined ? [] : [{ type: 'IconCleared', data: { user } }];
};

type PictureTypes = {
  readonly changed: 'UserPhotoChanged' | 'BannerChanged';
  readonly removed: 'UserPhotoRemoved' | 'BannerRemoved';
};

const pictureEdited = (
  user: UserId,
  to: PhotoChange['to'],
  now: FileId | undefined,
  types: PictureTypes,
): readonly ProfileEvent[] => {
  if (to === 'removed') return now === undefined ? [] : [{ type: types.removed, data: { user, file: now } }];
  return to.file === now ? [] : [{ type: types.changed, data: { user, ...to, ...defined({ replaced: now }) } }];
};
