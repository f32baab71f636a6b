import assert from 'node:assert/strict';
import { it } from 'node:test';
import { testServer } from '../support/server.js';
import { found, inChannel, join, say } from './places.js';
import { signUp } from './seat.js';

it('a highlighted message that is deleted is highlighted no more, and everybody hears it', async (t) => {
  const server = await testServer();
  t.after(() => server.remove());
  const [ada, ben] = [await signUp(server.url, 'Ada'), await signUp(server.url, 'Ben')];
  const town = await found(ada, 'Chess');
  await join(ada, town, ben);
  const chatRef = inChannel(town.community, town.general);
  const message = await say(ada, chatRef, 'Read the rules.');
  await ada.do('communitiesEditChannel', { ...chatRef, highlightedMsgId: { highlightedMsgId: message } });
  await ada.do('messagesDeleteMessage', { chatRef, messageIds: [message] });

  const highlighted = () => ben.updates().flatMap(({ channel }) => (channel === undefined ? [] : [channel.channel]));
  await ben.update(() => highlighted().at(-2)?.highlightedMsgId === message);
  assert.equal(highlighted().at(-1)?.highlightedMsgId, undefined);
});
