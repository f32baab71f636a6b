import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { onEachDeployment, type Deployment } from '../support/deployments.js';
import { found, inChannel, join, say } from './places.js';
import { signUp } from './seat.js';

onEachDeployment('a highlighted message', (start) => {
  let server: Deployment;
  before(async () => {
    server = await start();
  });
  after(() => server.remove());

  it('that is deleted is highlighted no more, and everybody hears it', async () => {
    const [ada, ben] = [await signUp(server.url, 'Ada'), await signUp(server.url, 'Ben')];
    const town = await found(ada, 'Chess');
    await join(ada, town, ben);
    const chatRef = inChannel(town.community, town.general);
    const message = await say(ada, chatRef, 'Read the rules.');
    await ada.do('communitiesEditChannel', { ...chatRef, highlightedMsgId: { highlightedMsgId: message } });
    await ada.do('messagesDeleteMessage', { chatRef, messageIds: [message] });

    const told = () => ben.updates().flatMap(({ channel }) => (channel === undefined ? [] : [channel.channel]));
    await ben.update(() => told().at(-2)?.highlightedMsgId === message);
    assert.equal(told().at(-1)?.highlightedMsgId, undefined);
  });
});
