import { defined } from '../../../kernel/defined.js';
import { bioUnitsMax, colorMax } from '../../../domain/users/decide.js';
import type { ChangeStatus, EditProfile } from '../../../gen/settings.js';
import { UserStatusActivityType, UserStatusStatus } from '../../../gen/types.js';
import { reject, type Rejection } from '../../../kernel/decider.js';
import type { Activity, Status } from '../../../kernel/ports/presence.js';
import { usernameTyped } from '../../../kernel/username.js';
import { isValueOf } from '../../../wire/codec.js';

export const activityTextUnitsMax = 128;

export type ProfileRequest = {
  readonly name?: string;
  /** '' gives the username up. */
  readonly username?: string;
  readonly bio?: string;
  readonly icon?: EditProfile['icon'];
  readonly color?: number;
};

/** Whether the name is one, and whether a new username may be taken, is decided with the profile as it is. */
export const profileOf = ({ name, username: typed, bio, icon, color }: EditProfile): ProfileRequest | Rejection => {
  const username = typed === undefined || typed === '' ? typed : usernameTyped(typed);
  if (typed !== undefined && username === undefined) return reject('INVALID_USERNAME');
  if (bio !== undefined && bio.length > bioUnitsMax) return reject('INVALID_ARGUMENT', 'the bio is too long');
  if (color !== undefined && color > colorMax) return reject('INVALID_ARGUMENT', 'a colour is at most 0xFFFFFF');
  return {
    ...defined({ name, username, bio, icon, color }),
  };
};

const statuses = new Map<number, Status>([
  [UserStatusStatus.ONLINE, 'online'],
  [UserStatusStatus.IDLE, 'idle'],
  [UserStatusStatus.INVISIBLE, 'invisible'],
]);

export type StatusChange = { readonly status: Status; readonly activities: readonly Activity[] };

export const statusOf = ({ status: number, activities }: ChangeStatus): StatusChange | Rejection => {
  const status = statuses.get(number);
  if (status === undefined) return reject('INVALID_ARGUMENT', 'the status is unknown');
  const isSound = ({ title, state, type }: ChangeStatus['activities'][number]): boolean =>
    isValueOf(UserStatusActivityType, type) &&
    title.length <= activityTextUnitsMax &&
    (state === undefined || state.length <= activityTextUnitsMax);
  if (!activities.every(isSound)) return reject('INVALID_ARGUMENT', 'an activity is too long or of an unknown kind');
  return { status, activities: activities.map(activityOf) };
};

const activityOf = ({ title, type, startTime, endTime, state }: ChangeStatus['activities'][number]): Activity => ({
  title,
  type,
  startTime,
  ...defined({ endTime, state }),
});
