import type { MessageReactions } from '../../src/gen/reactions.js';
import type { MessageId } from '../../src/kernel/ids.js';
import { serveCalls } from './helper.js';
import { checkAnswer, inParallel, signedUp, type Channel, type RawClient } from './rawClient.js';
import { sharedMillis } from './sharedClock.js';

/** Members who react to one message, and who keep what they are told of it. */
type Reactor = {
  readonly client: RawClient;
  updates: number;
  last: MessageReactions | undefined;
  lastAtMillis: number;
};

const reactors: Reactor[] = [];
const openedAtOnce = 25;
const lookMillis = 5;
const waitMillisMax = 120_000;

const listening = (client: RawClient): Reactor => {
  const reactor: Reactor = { client, updates: 0, last: undefined, lastAtMillis: 0 };
  client.onUpdate = ({ messageReactions }) => {
    if (messageReactions?.reactions === undefined) return;
    reactor.updates += 1;
    reactor.last = messageReactions.reactions;
    reactor.lastAtMillis = sharedMillis();
  };
  return reactor;
};

/** All of them are there, and those of the reader among them. */
const isWhole = ({ last }: Reactor, emoji: number, each: number): boolean =>
  last?.reactionFields.length === emoji && last.reactionFields.every(({ count, me }) => count === each && me);

const untilWhole = async (emoji: number, each: number): Promise<void> => {
  const end = sharedMillis() + waitMillisMax;
  while (!reactors.every((reactor) => isWhole(reactor, emoji, each))) {
    if (sharedMillis() > end) throw new Error('the last state has not come to everybody');
    await new Promise((resolve) => setTimeout(resolve, lookMillis));
  }
};

const calls = {
  join: async (what: { readonly port: number; readonly count: number; readonly invite: string }): Promise<void> => {
    const names = Array.from({ length: what.count }, (_, at) => `Reactor ${at.toString()}`);
    const users = await inParallel(names, openedAtOnce, (name) => signedUp({ port: what.port }, name));
    await inParallel(users, openedAtOnce, ({ client }) => client.callPatiently('authUseInvite', { code: what.invite }));
    reactors.push(...users.map(({ client }) => listening(client)));
  },
  /** Everybody adds all emoji without waiting for answers. Ends when everybody was told of all that `members` added. */
  react: async (what: {
    readonly channel: Channel;
    readonly messageId: MessageId;
    readonly emoji: readonly string[];
    readonly members: number;
  }) => {
    const { communityId, channelId } = what.channel;
    const chatRef = { channel: { communityId, channelId } };
    const ask = (client: RawClient, unicodeEmoji: string): Promise<void> =>
      new Promise((resolve) => {
        client.ask(
          'reactionsAddReaction',
          { chatRef, messageId: what.messageId, emoji: { unicodeEmoji } },
          (result) => {
            checkAnswer('reactionsAddReaction', result);
            resolve();
          },
        );
      });
    await Promise.all(reactors.flatMap(({ client }) => what.emoji.map((emoji) => ask(client, emoji))));
    const answeredAtMillis = sharedMillis();
    await untilWhole(what.emoji.length, what.members);
    const updates = reactors.map((reactor) => reactor.updates);
    return {
      answeredAtMillis,
      toldAtMillis: Math.max(...reactors.map(({ lastAtMillis }) => lastAtMillis)),
      updatesMax: Math.max(...updates),
      updatesMin: Math.min(...updates),
    };
  },
};

export type ReactorCalls = typeof calls;

serveCalls(calls);
