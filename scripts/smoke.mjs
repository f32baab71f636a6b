// Two people on two nodes, as clients see it: node scripts/smoke.mjs URL [URL]
// One URL stands for both nodes, as a proxy's does. Prints each step; ends with 1 at the first that fails.
import { randomBytes } from 'node:crypto';

const millisMax = 60_000;
const stepMillisMax = 15_000;

const [firstUrl, secondUrl = firstUrl] = process.argv.slice(2);
if (![firstUrl, secondUrl].every((url) => /^wss?:\/\//.test(url ?? '') && URL.canParse(url))) {
  console.error('node scripts/smoke.mjs URL [URL], where URL begins with ws:// or wss://');
  process.exit(2);
}
// Also when nothing answers and nothing fails.
setTimeout(() => fail(`not done within ${millisMax / 1_000} s`), millisMax).unref();

const fail = (problem) => {
  console.error(`FAILED  ${problem}`);
  process.exit(1);
};

const loaded = async () => {
  try {
    const [{ connect }, { nodeSocket }] = await Promise.all([
      import('../dist/src/client/client.js'),
      import('../dist/src/client/nodeSocket.js'),
    ]);
    return { connect, nodeSocket };
  } catch {
    return fail('the client is not built: run npm run build');
  }
};

const step = async (name, work) => {
  const started = performance.now();
  try {
    const result = await within(work());
    console.log(`ok      ${name} (${Math.round(performance.now() - started)} ms)`);
    return result;
  } catch (error) {
    return fail(`${name}: ${error.message}`);
  }
};

const within = (promise) => {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${stepMillisMax / 1_000} s`)), stepMillisMax);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

const equal = (found, wanted, what) => {
  const [one, other] = [found, wanted].map((value) => JSON.stringify(value));
  if (one !== other) throw new Error(`${what}: ${one} in the place of ${other}`);
};

/** Somebody on a node, with all that they were told. */
const arrive = async ({ connect, nodeSocket }, url, name) => {
  const client = await connect({ url, openSocket: nodeSocket, deviceType: 'smoke', answerMillis: stepMillisMax });
  const told = [];
  const waiting = new Set();
  client.updates.on('messageCreated', (update) => {
    told.push(update);
    for (const look of waiting) look();
  });
  const { user } = await client.signUp({ name });
  /** The update of the message, come or coming. */
  const hears = (text) =>
    new Promise((resolve) => {
      const look = () => {
        const found = told.find(({ message }) => message.message === text);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  return { client, user, hears, told };
};

const driver = await loaded();
const mark = randomBytes(4).toString('hex');
const name = `Smoke ${mark}`;

const ada = await step(`Ada signs up on ${firstUrl}`, () => arrive(driver, firstUrl, 'Ada'));
const ben = await step(`Ben signs up on ${secondUrl}`, () => arrive(driver, secondUrl, 'Ben'));

const chatRef = await step('Ada founds a community and finds its channel', async () => {
  await ada.client.call('communities.createCommunity', { name });
  const { communities } = await ada.client.call('communities.getCommunities', {});
  const community = communities.find((one) => one.name === name);
  if (community === undefined) throw new Error('it is not among her communities');
  const { channels } = await ada.client.call('communities.getChannels', { communityId: community.id });
  const [channel] = channels;
  if (channel === undefined) throw new Error('it has no channel');
  return { channel: { communityId: community.id, channelId: channel.id } };
});

await step('Ben joins by her invite and sees the channel', async () => {
  const { code } = await ada.client.call('chats.createChatInvite', { chatRef });
  await ben.client.call('auth.useInvite', { code });
  const { channels } = await ben.client.call('communities.getChannels', { communityId: chatRef.channel.communityId });
  equal(
    channels.map(({ id }) => id.toString()),
    [chatRef.channel.channelId.toString()],
    'his channels',
  );
});

const say = (from, message) => from.client.call('messages.sendMessage', { chatRef, message });
const fromAda = ['one', 'two', 'three'].map((number) => `${number} of Ada, ${mark}`);
const fromBen = `one of Ben, ${mark}`;

await step('Ada sends three messages, and Ben is told of each, in order', async () => {
  for (const text of fromAda) await say(ada, text);
  const updates = await Promise.all(fromAda.map((text) => ben.hears(text)));
  equal(
    updates.map(({ author }) => author?.name),
    ['Ada', 'Ada', 'Ada'],
    'their authors',
  );
  equal(
    ben.told.map(({ message }) => message.message),
    fromAda,
    'what he was told',
  );
});

await step('Ben has three unread messages, and none once he has read them', async () => {
  equal(await unreadOf(ben), 3, 'unread before');
  const { messages } = await ben.client.call('messages.getHistory', { chatRef });
  const newest = messages.reduce((id, message) => (message.messageId > id ? message.messageId : id), 0n);
  await ben.client.call('chats.markChatRead', { chatRef, messageId: newest });
  equal(await unreadOf(ben), 0, 'unread after');
});

await step('Ben answers, and Ada is told', async () => {
  await say(ben, fromBen);
  const { author } = await ada.hears(fromBen);
  equal(author?.name, 'Ben', 'its author');
});

await step('both read the same history', async () => {
  const histories = await Promise.all([historyOf(ada), historyOf(ben)]);
  for (const texts of histories) equal(texts, [...fromAda, fromBen], 'the history');
});

await step('both leave', () => Promise.all([ada.client.close(), ben.client.close()]));
console.log('All went well.');

/** Of the whole community, which has this one channel. */
async function unreadOf({ client }) {
  const { communityUserInfo } = await client.call('communities.getCommunities', {});
  return communityUserInfo.find(({ communityId }) => communityId === chatRef.channel.communityId)?.unreadCount;
}

/** What was said, the oldest first. */
async function historyOf({ client }) {
  const { messages } = await client.call('messages.getHistory', { chatRef });
  return messages
    .toSorted((one, other) => (one.messageId < other.messageId ? -1 : 1))
    .map(({ message }) => message)
    .filter((text) => text !== '');
}
