import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { UserStatusStatus } from '../../src/gen/types.js';
import { onEachDeployment, type Deployment } from '../support/deployments.js';
import { say, withUser } from './places.js';
import { signUp } from './seat.js';

onEachDeployment('the author of a message', (start) => {
  let server: Deployment;
  before(async () => {
    server = await start();
  });
  after(() => server.remove());

  it('is shown as present as they are', async () => {
    const [ada, ben] = [await signUp(server.url, 'Ada'), await signUp(server.url, 'Ben')];
    const shownBy = async (text: string): Promise<UserStatusStatus | undefined> => {
      await say(ada, withUser(ben), text);
      const { messageCreated } = await ben.update((update) => update.messageCreated?.message?.message === text);
      return messageCreated?.author?.status?.status;
    };
    const changed = async (status: UserStatusStatus, shown?: UserStatusStatus): Promise<void> => {
      await ada.do('settingsChangeStatus', { status });
      const told = () => ben.updates().flatMap(({ userStatus }) => (userStatus?.userId === ada.user ? userStatus : []));
      await ben.update(() => told().at(-1)?.status?.status === shown);
    };

    await ada.update(({ userStatus }) => userStatus?.userId === ada.user);
    // Presence is shown to people who have both written.
    await say(ben, withUser(ada), 'hello');
    assert.equal(await shownBy('here'), UserStatusStatus.ONLINE);
    await changed(UserStatusStatus.IDLE, UserStatusStatus.IDLE);
    assert.equal(await shownBy('away'), UserStatusStatus.IDLE);
    await changed(UserStatusStatus.INVISIBLE);
    assert.equal(await shownBy('hidden'), undefined);
  });
});
