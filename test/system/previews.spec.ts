import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { noLinkPreviews } from '../../src/adapters/linkPreviews/off.js';
import { deferred } from '../../src/kernel/timing.js';
import { testServer, type TestServer } from '../support/server.js';
import { found, inChannel, join, say } from './places.js';
import { signUp } from './seat.js';

let server: TestServer;
const closed = deferred<'busy'>();
before(async () => {
  const linkPreviews = {
    ...noLinkPreviews,
    previewOf: async (url: string) => (url.includes('slow') ? closed.promise : { url, title: 'A page' }),
    close: async () => {
      closed.resolve('busy');
    },
  };
  server = await testServer({ environment: { OSMIUM_EMBEDS: 'on' }, linkPreviews });
});
after(() => server.remove());

it('a server shows the preview of a link to all who see the message, and stops while a page is silent', async () => {
  const [ada, ben] = [await signUp(server.url, 'Ada'), await signUp(server.url, 'Ben')];
  const town = await found(ada, 'Chess');
  await join(ada, town, ben);
  const chatRef = inChannel(town.community, town.general);
  await say(ada, chatRef, 'https://slow.example/');
  const message = await say(ada, chatRef, 'https://a.example/');
  const previewed = () => ben.updates().flatMap(({ message: told }) => told?.message?.media[0]?.embed?.title ?? []);
  await ben.update(() => previewed().length > 0);
  const { messages } = await ben.do('messagesGetHistory', { chatRef, around: message, limit: 1 });
  assert.deepEqual([previewed(), messages[0]?.media[0]?.embed?.title], [['A page'], 'A page']);
});

it('a server that stops stores previews with their pictures before it ends what judges and reads those', async () => {
  const ends: string[] = [];
  const noted = (name: string) => ({
    close: async () => {
      ends.push(name);
    },
  });
  const stopping = await testServer({
    linkPreviews: { ...noLinkPreviews, ...noted('fetches') },
    fileScanner: { judged: async () => 'clean', ...noted('scanner') },
    pictures: { made: async () => 'busy', ...noted('pictures') },
  });
  await stopping.remove();
  assert.deepEqual(ends, ['fetches', 'scanner', 'pictures']);
});
