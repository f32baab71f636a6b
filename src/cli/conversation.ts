import type { Client } from '../client/client.js';
import { ConnectionLost, NotSent, RequestRefused, RequestTimedOut } from '../client/errors.js';
import type { ChatRef } from '../gen/refs.js';
import { ChannelType, type Channel, type Community, type Message, type User } from '../gen/types.js';
import { millisOf, type UserId } from '../kernel/ids.js';
import { printable } from './printable.js';
import type { Terminal } from './terminal.js';

export type ConversationNeeds = {
  readonly client: Pick<Client, 'call' | 'updates'>;
  readonly me: User;
  readonly screen: Terminal;
};

type Place = { readonly label: string; readonly ref: ChatRef };

const help = [
  '/create NAME   found a community and enter it',
  '/join CODE     join a community by an invite',
  '/invite        make an invite to the community you are in',
  '/list          the channels of your communities',
  '/open NUMBER   enter a channel of the list',
  '/dm WHO        write to somebody directly: a name that was here, or the id of a user',
  '/members       who is in this community',
  '/history       the last messages here',
  '/quit',
  'Anything else is sent as a message.',
];

const historyMessagesMax = 20;
/** A forgotten name is asked for again when it is needed, because a message carries its author. */
const namesMax = 10_000;

/** A chat as its user types into it and sees it. */
export class Conversation {
  private place: Place | undefined;
  private places: readonly Place[] = [];
  /** Of the newest message shown in this place, so that a message on its way twice is shown once. */
  private shownUpTo = 0n;
  /** Messages that come while the history is being fetched, to be shown after it. */
  private late: Message[] | undefined;
  private readonly names = new Map<bigint, string>();
  private readonly client: ConversationNeeds['client'];
  private readonly me: User;
  private readonly screen: Terminal;

  constructor({ client, me, screen }: ConversationNeeds) {
    this.client = client;
    this.me = me;
    this.screen = screen;
    this.meet([me]);
    client.updates.on('messageCreated', ({ message, author }) => {
      if (author !== undefined) this.meet([author]);
      if (message !== undefined) this.arrived(message);
    });
  }

  async run(): Promise<void> {
    await this.list();
    for await (const line of this.screen.lines) {
      const text = line.trim();
      if (text === '/quit') return;
      if (text !== '') await this.attempt(() => this.obey(text, line));
    }
  }

  /** Shows what was missed. */
  async connectedAgain(): Promise<void> {
    this.screen.say('* connected again');
    await this.attempt(() => this.history());
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isTrouble(error)) throw error;
      this.screen.say(`! ${printable(error.message)}`);
    }
  }

  private async obey(text: string, line: string): Promise<void> {
    const [command = '', ...rest] = text.split(' ');
    const obeyed = this.commands[command]?.(rest.join(' ').trim());
    if (obeyed !== undefined) await obeyed;
    else if (command.startsWith('/')) this.screen.say(`! there is no ${printable(command)}: /help lists the commands`);
    else if (this.place === undefined) this.screen.say('! enter a chat first: /list, /create, /join or /dm');
    else {
      this.screen.takeBack(line);
      await this.client.call('messages.sendMessage', { chatRef: this.place.ref, message: text });
    }
  }

  private readonly commands: Readonly<Record<string, (argument: string) => Promise<void>>> = {
    '/help': () => {
      help.forEach(this.screen.say);
      return Promise.resolve();
    },
    '/create': (name) => this.enterNew(() => this.client.call('communities.createCommunity', { name })),
    '/join': (code) => this.enterNew(() => this.client.call('auth.useInvite', { code })),
    '/invite': () => this.invite(),
    '/list': () => this.list(),
    '/open': (number) => this.enter(this.places[Number(number) - 1]),
    '/dm': (who) => this.direct(who),
    '/members': () => this.members(),
    '/history': () => {
      this.shownUpTo = 0n;
      return this.history();
    },
  };

  private async invite(): Promise<void> {
    if (this.place?.ref.channel === undefined) {
      this.screen.say('! enter a channel first');
      return;
    }
    const { code } = await this.client.call('chats.createChatInvite', { chatRef: this.place.ref });
    this.screen.say(`* others come in by: /join ${code}`);
  }

  private async direct(who: string): Promise<void> {
    const id = /^\d{1,20}$/.test(who) ? BigInt(who) : this.idOf(who);
    if (id === undefined) {
      this.screen.say(`! nobody by the name of ${printable(who)} was here; the id of a user does as well`);
      return;
    }
    if (id === this.me.id) await this.enter({ label: 'your own notes', ref: { self: {} } });
    else await this.enter({ label: `a chat with ${this.nameOf(id)}`, ref: { user: { userId: id as UserId } } });
  }

  private async members(): Promise<void> {
    const communityId = this.place?.ref.channel?.communityId;
    if (communityId === undefined) {
      this.screen.say('! enter a channel first');
      return;
    }
    const { users } = await this.client.call('communities.getMembers', { communityId });
    this.meet(users);
    for (const { id, name } of users) this.screen.say(`  ${printable(name)}  ${id.toString()}`);
  }

  private async list(): Promise<void> {
    const { communities } = await this.client.call('communities.getCommunities', {});
    const places = await Promise.all(communities.map((community) => this.channelsOf(community)));
    this.places = places.flat();
    for (const [index, { label }] of this.places.entries())
      this.screen.say(`${(index + 1).toString().padStart(3)}. ${label}`);
  }

  private async channelsOf(community: Community): Promise<readonly Place[]> {
    const { channels } = await this.client.call('communities.getChannels', { communityId: community.id });
    return channels.filter(({ type }) => type !== ChannelType.CATEGORY).map((channel) => placeOf(community, channel));
  }

  private async enterNew(make: () => Promise<undefined>): Promise<void> {
    const before = new Set(this.places.map(communityOf));
    await make();
    await this.list();
    const place = this.places.find((one) => !before.has(communityOf(one)));
    if (place === undefined) this.screen.say('* you were there already: /open one of these');
    else await this.enter(place);
  }

  private async enter(place: Place | undefined): Promise<void> {
    if (place === undefined) {
      this.screen.say('! the list has no such number: /list shows it');
      return;
    }
    this.place = place;
    this.shownUpTo = 0n;
    this.screen.say(`* in ${place.label}`);
    await this.history();
  }

  private async history(): Promise<void> {
    if (this.place === undefined) return;
    const late: Message[] = [];
    this.late = late;
    try {
      const asked = { chatRef: this.place.ref, limit: historyMessagesMax };
      const { messages, users } = await this.client.call('messages.getHistory', asked);
      this.meet(users);
      for (const message of messages.toReversed()) this.show(message);
    } finally {
      this.late = undefined;
      for (const message of late) this.show(message);
    }
  }

  private arrived(message: Message): void {
    if (!sameChat(message.chatRef, this.place?.ref)) this.showElsewhere(message);
    else if (this.late === undefined) this.show(message);
    else this.late.push(message);
  }

  private show(message: Message): void {
    if (message.messageId <= this.shownUpTo) return;
    this.shownUpTo = message.messageId;
    this.screen.say(`${this.byline(message)}: ${printable(message.message)}`);
  }

  private showElsewhere(message: Message): void {
    if (message.authorId === this.me.id) return;
    const place = this.places.find(({ ref }) => sameChat(ref, message.chatRef));
    const where = message.chatRef?.user === undefined ? `in ${place?.label ?? 'another place'}` : 'to you';
    this.screen.say(`${this.byline(message)} (${where}): ${printable(message.message)}`);
  }

  private byline({ messageId, authorId }: Message): string {
    const time = new Date(millisOf(messageId)).toTimeString().slice(0, 5);
    return `${time} ${authorId === this.me.id ? 'you' : this.nameOf(authorId)}`;
  }

  private meet(users: readonly User[]): void {
    if (this.names.size + users.length > namesMax) this.names.clear();
    for (const { id, name } of users) this.names.set(id, name);
  }

  private nameOf(id: bigint): string {
    return printable(this.names.get(id) ?? id.toString());
  }

  private idOf(name: string): bigint | undefined {
    for (const [id, known] of this.names) if (known.toLowerCase() === name.toLowerCase()) return id;
    return undefined;
  }
}

/** A failure that may happen to any request, and is no reason to end the chat. */
const isTrouble = (error: unknown): error is Error =>
  [RequestRefused, ConnectionLost, RequestTimedOut, NotSent].some((kind) => error instanceof kind);

const placeOf = (community: Community, channel: Channel): Place => ({
  label: `${printable(community.name)} # ${printable(channel.name)}`,
  ref: { channel: { communityId: community.id, channelId: channel.id } },
});

const communityOf = ({ ref }: Place): bigint | undefined => ref.channel?.communityId;

const sameChat = (one: ChatRef | undefined, other: ChatRef | undefined): boolean =>
  one !== undefined && other !== undefined && keyOf(one) === keyOf(other);

const keyOf = ({ channel, user, group }: ChatRef): string =>
  `${String(channel?.channelId)} ${String(user?.userId)} ${String(group?.groupId)}`;
