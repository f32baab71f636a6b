import { describe, it } from 'node:test';
import type { ProfileChanges, UserCommand } from '../../../src/domain/users/commands.js';
import { users } from '../../../src/domain/users/decide.js';
import type { UserEvent } from '../../../src/domain/users/events.js';
import { shredded } from '../../../src/kernel/event.js';
import type { FileId, UserId } from '../../../src/kernel/ids.js';
import { givenFor } from '../../support/given.js';

const given = givenFor(users);
const user = 1n as UserId;
const registered: UserEvent = { type: 'users.UserRegistered.v1', data: { user, name: 'Ada', bot: false } };
const edit = (changes: ProfileChanges): UserCommand => ({ type: 'EditProfile', data: { user, ...changes } });
const icon = 5n as FileId;
const ada = { name: 'ada', key: 'key of ada' };
const usernameChanged = (username: string, usernameKey = 'key of ada'): UserEvent => ({
  type: 'users.UsernameChanged.v1',
  data: { user, username, usernameKey },
});

describe('registering a user', () => {
  it('is a fact, once', () => {
    given()
      .when({ type: 'RegisterUser', data: { user, name: 'Ada', bot: false } })
      .thenOnce(registered);
  });
});

describe('editing a profile', () => {
  it('says one thing for each that changed, once', () => {
    given(registered)
      .when(edit({ name: 'Ada L.', bio: 'counts', icon, color: 0xff0000 }))
      .thenOnce(
        { type: 'users.NameChanged.v1', data: { user, name: 'Ada L.' } },
        { type: 'users.BioChanged.v1', data: { user, bio: 'counts' } },
        { type: 'users.IconChanged.v1', data: { user, icon } },
        { type: 'users.ColorChanged.v1', data: { user, color: 0xff0000 } },
      );
  });
  it('leaves what is not mentioned and what is the same', () => {
    given(registered)
      .when(edit({ name: 'Ada', bio: '' }))
      .then();
    given(registered).when(edit({})).then();
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
      .then({ type: 'users.UsernameCleared.v1', data: { user } });
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
    given(registered, { type: 'users.IconChanged.v1', data: { user, icon } })
      .when(edit({ icon: 'cleared' }))
      .thenOnce({ type: 'users.IconCleared.v1', data: { user } });
  });
  it('writes over what was erased', () => {
    given({ ...registered, data: { user, bot: false, name: shredded } })
      .when(edit({ name: 'Ada' }))
      .thenOnce({ type: 'users.NameChanged.v1', data: { user, name: 'Ada' } });
  });
});
