import { serveCalls } from './helper.js';
import { foundedBy, inParallel, signedUp, type Channel, type RawClient } from './rawClient.js';

/** Users who write, each into one channel, and who wait for each answer. */
type Sender = { readonly channel: Channel; readonly client: RawClient };

const senders: Sender[] = [];
const openedAtOnce = 16;
let nonce = 0n;

const signUp = async (what: {
  readonly port: number;
  readonly count: number;
  readonly channels: number;
}): Promise<void> => {
  const { port, count, channels: channelCount } = what;
  const names = Array.from({ length: count }, (_, at) => `Sender ${at.toString()}`);
  const users = await inParallel(names, openedAtOnce, (name) => signedUp({ port }, name));
  const owners = users.slice(0, channelCount);
  const channels = await inParallel(owners, openedAtOnce, ({ client }) => foundedBy(client, 'A place to write'));
  for (const [at, { client }] of users.entries()) {
    const channel = channels[at % channels.length];
    if (channel === undefined) throw new Error('there must be a channel');
    if (at >= channels.length) await client.call('authUseInvite', { code: channel.invite });
    senders.push({ client, channel });
  }
};

const send = async (what: {
  readonly seconds: number;
  readonly bytes: number;
  readonly text: string;
}): Promise<{ sent: number; perSecond: number }> => {
  const message = textOf(what);
  const started = performance.now();
  const end = started + what.seconds * 1_000;
  let sent = 0;
  const writer = async ({ client, channel }: Sender): Promise<void> => {
    const chatRef = { channel: { communityId: channel.communityId, channelId: channel.channelId } };
    while (performance.now() < end) {
      nonce += 1n;
      await client.call('messagesSendMessage', { chatRef, message, clientId: nonce });
      sent += 1;
    }
  };
  await Promise.all(senders.map(writer));
  return { sent, perSecond: (sent * 1_000) / (performance.now() - started) };
};

/** `letters`: one word of one letter. `words`: as people write, which gives the search index more to do. */
const textOf = ({ bytes, text }: { readonly bytes: number; readonly text: string }): string => {
  if (text === 'letters') return 'x'.repeat(bytes);
  if (text !== 'words') throw new Error(`no text ${text}; there are letters and words`);
  return words.repeat(Math.ceil(bytes / words.length)).slice(0, bytes);
};
const words =
  'The quick brown fox jumps over a lazy dog while seven wizards quietly mix potions beneath old bridges tonight. ';

const calls = {
  signUp,
  send,
  close: (): void => {
    for (const { client } of senders.splice(0)) client.socket.close();
  },
};

export type SenderCalls = typeof calls;

serveCalls(calls);
