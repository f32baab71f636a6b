import type { ProfileChanges } from '../../../domain/users/commands.js';
import { nameUnitsMax, users } from '../../../domain/users/decide.js';
import { userStream } from '../../../domain/users/events.js';
import { nothing } from '../../../gen/rpcs.js';
import { isRejection, reject, type Rejection } from '../../../kernel/decider.js';
import { displayName } from '../../../kernel/displayName.js';
import { editPaid } from '../../../kernel/editPace.js';
import type { FoldedStreams } from '../../../kernel/foldedStreams.js';
import { opened } from '../../../kernel/opened.js';
import { canBeTaken, usernameKeyed } from '../../../kernel/username.js';
import type { UniqueName, UniqueNames } from '../../access/uniqueNames.js';
import type { Call, Caller } from '../../contract/call.js';
import { done, type Handlers } from '../../contract/handlers.js';
import type { FileStore } from '../../files/fileStore.js';
import { madePhoto, type UploadedPhoto } from '../../files/photos.js';
import { profileOf, statusOf, type ProfileRequest, type StatusChange } from './wire.js';

export type SettingsNeeds = {
  readonly names: UniqueNames;
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
  readonly files: Pick<FileStore, 'made'>;
  readonly changeStatus: (caller: Caller, change: StatusChange) => Promise<void>;
};

type Built = 'settingsEditProfile' | 'settingsEditProfilePhoto' | 'settingsEditProfileBanner' | 'settingsChangeStatus';

export const settingsRpcs = (needs: SettingsNeeds): Handlers<Built> => ({
  async settingsEditProfile(request, call) {
    const wanted = profileOf(request);
    if (isRejection(wanted)) return wanted;
    return (await editProfile(needs, call, wanted)) ?? nothing;
  },

  settingsEditProfilePhoto: ({ file }, call) =>
    pictureEdited(needs, call, { file, form: 'photo', type: 'EditProfilePhoto' }),

  settingsEditProfileBanner: ({ file }, call) =>
    pictureEdited(needs, call, { file, form: 'banner', type: 'EditProfileBanner' }),

  async settingsChangeStatus(request, call) {
    const wanted = statusOf(request);
    if (isRejection(wanted)) return wanted;
    await needs.changeStatus(call.caller, wanted);
    return nothing;
  },
});

type PictureEdit = {
  /** Absent to take it away. */
  readonly file: UploadedPhoto | undefined;
  readonly form: 'photo' | 'banner';
  readonly type: 'EditProfilePhoto' | 'EditProfileBanner';
};

const pictureEdited = async (
  { files, streams }: SettingsNeeds,
  call: Call,
  { file, form, type }: PictureEdit,
): Promise<typeof nothing | Rejection> => {
  const { user } = call.caller;
  const { state: profile } = await streams.caughtUp(userStream(user), users);
  if (profile.status === 'absent') return reject('USER_NOT_FOUND');
  // Making a picture is work, which is not begun for an edit that comes too early. The same edit once more changes nothing, and is answered.
  const paid = editPaid(profile.editsPaidUntil, call.now);
  const to = file === undefined ? 'removed' : await madePhoto(files, call, file, { form, paid });
  if (isRejection(to)) return to;
  return done(await call.run(users, { type, data: { user, at: call.now, to } }));
};

const editProfile = async (
  needs: SettingsNeeds,
  call: Call,
  { username, icon, ...wanted }: ProfileRequest,
): Promise<Rejection | undefined> => {
  const changes: ProfileChanges = {
    ...wanted,
    ...(icon === undefined ? {} : { icon: icon === 0n ? 'cleared' : icon }),
  };
  if (username !== undefined) return renamed(needs, call, username, changes);
  return edited(call, changes);
};

const edited = async (call: Call, changes: ProfileChanges): Promise<Rejection | undefined> => {
  const { user } = call.caller;
  const outcome = await call.run(users, { type: 'EditProfile', data: { user, at: call.now, ...changes } });
  return isRejection(outcome) ? outcome : undefined;
};

/**
 * Claim the new username, carry it, give up the old one. A crash in between heals by itself: see `uniqueNames`. The
 * claim given up is the one that there was before, and the change counts only while that one is carried: otherwise the
 * user could come back to the old name on another connection, and lose the claim on the name they carry.
 */
const renamed = async (
  { names, streams }: SettingsNeeds,
  call: Call,
  username: string,
  others: ProfileChanges,
): Promise<Rejection | undefined> => {
  const { state: profile } = await streams.caughtUp(userStream(call.caller.user), users);
  if (profile.status === 'absent') return reject('USER_NOT_FOUND');
  const named = others.name === undefined ? '' : displayName(others.name, nameUnitsMax, opened(profile.name));
  // A refused request changes nothing, so the name is judged before the username is claimed.
  if (isRejection(named)) return named;
  const before: UniqueName | undefined = profile.username && { kind: 'username', key: profile.username.key };
  const held = before && (await names.claimOn(before));
  const wanted = username === '' ? undefined : names.nameOf('username', usernameKeyed(username));
  const isNew = wanted !== undefined && wanted.key !== before?.key;
  // A username of the form of former releases stays with its user, also when its case changes.
  if (isNew && !canBeTaken(username)) return reject('INVALID_USERNAME');
  // Claims lengthen streams too, so a change that comes too early claims nothing.
  const paid = editPaid(profile.editsPaidUntil, call.now);
  if (isNew && isRejection(paid)) return paid;
  const refused = isNew ? await names.claim(call, wanted, call.caller.user) : undefined;
  if (refused !== undefined) return refused;

  const to = wanted === undefined ? 'cleared' : { name: username, key: wanted.key };
  const failed = await edited(call, { ...others, username: { to, from: before?.key } });
  if (failed !== undefined) return failed;
  const isGivenUp = held?.holder === call.caller.user && held.key !== wanted?.key;
  if (isGivenUp) await names.release(call, held);
  return undefined;
};
