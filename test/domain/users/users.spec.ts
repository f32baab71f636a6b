import { describe, it } from 'node:test';
import type { PhotoChange, ProfileChanges, UserCommand } from '../../../src/domain/users/commands.js';
import { users } from '../../../src/domain/users/decide.js';
import type { UserEvent } from '../../../src/domain/users/events.js';
import type { FileId, Millis, UserId } from '../../../src/kernel/ids.js';
import { shredded } from '../../../src/kernel/opened.js';
import type { Bare } from '../../support/bare.js';
import { givenFor } from '../../support/given.js';

const given = givenFor(users);
const user = 1n as UserId;
const registered: Bare<UserEvent> = { type: 'UserRegistered', data: { user, name: 'Ada', bot: false } };
const edit = (changes: ProfileChanges): UserCommand => ({
  type: 'EditProfile',
  data: { user, at: 0 as Millis, ...changes },
});
const icon = 5n as FileId;
const ada = { name: 'ada', key: 'key of ada' };
const usernameChanged = (username: string, usernameKey = 'key of ada'): Bare<UserEvent> => ({
  type: 'UsernameChanged',
  data: { user, username, usernameKey },
});

describe('registering a user', () => {
  it('is a fact, once', () => {
    given()
      .when({ type: 'RegisterUser', data: { user, name: 'Ada', bot: false } })
      .thenOnce(registered);
  });
  it('needs a name that is one', () => {
    given()
      .when({ type: 'RegisterUser', data: { user, name: 'a\nb', bot: false } })
      .refuses('INVALID_NAME');
  });
});

describe('editing a profile', () => {
  it('says one thing for each that changed, once', () => {
    given(registered)
      .when(edit({ name: 'Ada L.', bio: 'counts', icon, color: 0xff0000 }))
      .thenOnce(
        { type: 'NameChanged', data: { user, name: 'Ada L.' } },
        { type: 'BioChanged', data: { user, bio: 'counts' } },
        { type: 'IconChanged', data: { user, icon } },
        { type: 'ColorChanged', data: { user, color: 0xff0000 } },
      );
  });
  it('leaves what is not mentioned and what is the same', () => {
    given(registered)
      .when(edit({ name: 'Ada', bio: '' }))
      .then();
    given(registered).when(edit({})).then();
  });
  it('judges a new name only, and keeps it in its one form', () => {
    const before: Bare<UserEvent> = { type: 'NameChanged', data: { user, name: '\u2800' } };
    given(registered, before)
      .when(edit({ name: '\u2800', bio: 'counts' }))
      .then({ type: 'BioChanged', data: { user, bio: 'counts' } });
    given(registered)
      .when(edit({ name: '\u2800' }))
      .refuses('INVALID_NAME');
    given(registered)
      .when(edit({ name: ' Ada  L. ' }))
      .thenOnce({ type: 'NameChanged', data: { user, name: 'Ada L.' } });
  });
  it('needs a user', () => {
    given()
      .when(edit({ name: 'Ada' }))
      .refuses('USER_NOT_FOUND');
  });
  it('takes a username and gives it up, each once', () => {
    given(registered)
      .when(edit({ username: { to: ada, from: undefined } }))
      .then(usernameChanged('ada'));
    given(registered, usernameChanged('ada'))
      .when(edit({ username: { to: 'cleared', from: ada.key } }))
      .then({ type: 'UsernameCleared', data: { user } });
    given(registered)
      .when(edit({ username: { to: 'cleared', from: undefined } }))
      .then();
  });
  it('takes another spelling of the same username', () => {
    given(registered, usernameChanged('ada'))
      .when(edit({ username: { to: { ...ada, name: 'Ada' }, from: ada.key } }))
      .thenOnce(usernameChanged('Ada'));
  });
  it('takes no username when another one was taken meanwhile', () => {
    const bob = { name: 'bob', key: 'key of bob' };
    given(registered, usernameChanged('ada'))
      .when(edit({ username: { to: bob, from: undefined } }))
      .refuses('CONFLICT');
    given(registered, usernameChanged('ada'))
      .when(edit({ username: { to: 'cleared', from: bob.key } }))
      .refuses('CONFLICT');
    given(registered, usernameChanged('ada'))
      .when(edit({ name: 'Ada', bio: '' }))
      .then();
  });
  it('takes the icon away, once', () => {
    given(registered, { type: 'IconChanged', data: { user, icon } })
      .when(edit({ icon: 'cleared' }))
      .thenOnce({ type: 'IconCleared', data: { user } });
  });
  it('writes over what was erased', () => {
    given({ ...registered, data: { user, bot: false, name: shredded } })
      .when(edit({ name: 'Ada' }))
      .thenOnce({ type: 'NameChanged', data: { user, name: 'Ada' } });
  });
});

describe('the photo and the banner', () => {
  const [one, two] = [11n as FileId, 12n as FileId];
  const content = { key: 'key', thumb: 'thumb' };
  const photo = (to: PhotoChange['to']): UserCommand => ({
    type: 'EditProfilePhoto',
    data: { user, at: 0 as Millis, to },
  });
  const banner = (to: PhotoChange['to']): UserCommand => ({
    type: 'EditProfileBanner',
    data: { user, at: 0 as Millis, to },
  });
  const shown: Bare<UserEvent> = { type: 'UserPhotoChanged', data: { user, file: one, content } };

  it('are put there once, and say what they take the place of', () => {
    given(registered)
      .when(photo({ file: one, content }))
      .thenOnce(shown);
    given(registered, shown)
      .when(photo({ file: two, content }))
      .thenOnce({ type: 'UserPhotoChanged', data: { user, file: two, content, replaced: one } });
    given(registered, shown)
      .when(banner({ file: two, content }))
      .thenOnce({ type: 'BannerChanged', data: { user, file: two, content } });
  });
  it('are taken away where they are', () => {
    given(registered, shown)
      .when(photo('removed'))
      .thenOnce({ type: 'UserPhotoRemoved', data: { user, file: one } });
    given(registered, shown).when(banner('removed')).then();
    given().when(photo('removed')).refuses('USER_NOT_FOUND');
  });
});
