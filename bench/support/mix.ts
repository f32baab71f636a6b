import { createHash } from 'node:crypto';
import { accountStream, type AccountEvent } from '../../src/domain/accounts/events.js';
import { communityStream, type CommunityEvent } from '../../src/domain/communities/events.js';
import { memberStream, type MemberEvent } from '../../src/domain/members/events.js';
import { messageStream, type Entity, type MessageEvent } from '../../src/domain/messages/events.js';
import { reads } from '../../src/domain/reads/decide.js';
import type { ReadEvent } from '../../src/domain/reads/events.js';
import { userStream, type UserEvent } from '../../src/domain/users/events.js';
import { channelChat, directChat, selfChat, type ChatKey } from '../../src/kernel/chat.js';
import type { ChannelId, CommunityId, MessageId, RoleId, SessionId, UserId } from '../../src/kernel/ids.js';
import { usualPermissions } from '../../src/kernel/permissions.js';
import type { WrittenEvent } from '../../src/kernel/personal.js';

type AnyEvent =
  | WrittenEvent<AccountEvent>
  | WrittenEvent<CommunityEvent>
  | WrittenEvent<MemberEvent>
  | WrittenEvent<MessageEvent>
  | WrittenEvent<ReadEvent>
  | WrittenEvent<UserEvent>;

/** What one command led to. */
export type Step = {
  readonly stream: string;
  readonly command: string;
  readonly by: User;
  readonly events: readonly AnyEvent[];
  /** Only so many events of the stream are kept. */
  readonly keeps?: number;
};

export type User = { readonly id: UserId; readonly session: SessionId };
type Community = {
  readonly id: CommunityId;
  readonly chats: readonly ChatKey[];
  readonly roles: readonly RoleId[];
  readonly members: User[];
};
type Conversation = { readonly chat: ChatKey; readonly writers: readonly User[] };
type Sent = Conversation & { readonly message: MessageId; readonly author: User };

export type MixNeeds = { readonly random: () => number; readonly nextId: () => bigint };

/**
 * The life of a server as a log has it: people sign up, found communities and join them, and above all they write,
 * some of them much more than others, most of it into a few channels, and for a while in the same place. Of 100 events
 * about 80 are messages, 8 read markers, 5 edits and deletions, and the rest is people and communities.
 */
export const mix = (needs: MixNeeds): (() => Step) => {
  const world = new LivelyWorld(needs);
  const setting: Step[] = [];
  for (let count = 0; count < firstUsers; count += 1) setting.push(...world.signUp());
  for (let count = 0; count < firstCommunities; count += 1) setting.push(...world.found());
  setting.reverse();
  return () => {
    for (;;) {
      const next = setting.pop();
      if (next !== undefined) return next;
      setting.push(...world.happens().reverse());
    }
  };
};

const firstUsers = 40;
const firstCommunities = 4;
const channelsPerCommunity = 10;
const rolesPerCommunity = 4;
/** Messages that people still answer, edit and delete. */
const recentMax = 1_024;
/** People talk in so many places at a time, and stay for about so many messages. */
const conversationsMax = 32;
const conversationMessages = 40;
const writersMax = 6;
const peersOfEach = 8;

interface World {
  signUp(): readonly Step[];
  found(): readonly Step[];
  happens(): Step[];
}

class LivelyWorld implements World {
  private readonly users: User[] = [];
  private readonly communities: Community[] = [];
  private readonly memberships = new Set<string>();
  private readonly recent: Sent[] = [];
  private readonly conversations: Conversation[] = [];
  private nonce = 0n;
  private readonly random: MixNeeds['random'];
  private readonly nextId: MixNeeds['nextId'];
  private readonly text: ReturnType<typeof textFrom>;

  constructor({ random, nextId }: MixNeeds) {
    this.random = random;
    this.nextId = nextId;
    this.text = textFrom(random);
  }

  private some<T>(items: readonly T[]): T {
    // Squared, so that the first ones come up far more often than the last.
    const item = items[Math.floor(this.random() ** 2 * items.length)];
    if (item === undefined) throw new Error('there is nothing to choose from');
    return item;
  }

  signUp(): readonly Step[] {
    const id = this.nextId() as UserId;
    const session = this.nextId() as SessionId;
    const by = { id, session };
    this.users.push(by);
    const tokenHash = createHash('sha256').update(session.toString()).digest('hex');
    const device = { clientId: 1, deviceType: 'web', deviceVersion: 'Firefox 140', appVersion: '1.4.2' };
    return [
      {
        stream: userStream(id),
        command: 'RegisterUser',
        by,
        events: [{ type: 'UserRegistered', data: { user: id, bot: false, name: this.text(1) } }],
      },
      {
        stream: accountStream(id),
        command: 'RegisterAccount',
        by,
        events: [
          { type: 'AccountRegistered', data: { user: id, hasPassword: false } },
          { type: 'SessionOpened', data: { user: id, session, tokenHash, ...device } },
        ],
      },
    ];
  }

  found(): readonly Step[] {
    const owner = this.some(this.users);
    const id = this.nextId() as CommunityId;
    const channels = Array.from({ length: channelsPerCommunity }, () => this.nextId() as ChannelId);
    const roles = Array.from({ length: rolesPerCommunity }, () => this.nextId() as RoleId);
    const members = [owner];
    this.communities.push({ id, chats: channels.map((channel) => channelChat(id, channel)), roles, members });
    this.memberships.add(`${id.toString()}.${owner.id.toString()}`);
    return [
      {
        stream: communityStream(id),
        command: 'CreateCommunity',
        by: owner,
        events: foundingOf(id, owner.id, { channels, roles, text: this.text }),
      },
      joining(owner, id, 'founding'),
    ];
  }

  private join(): Step[] {
    const user = this.some(this.users);
    const community = this.some(this.communities);
    const membership = `${community.id.toString()}.${user.id.toString()}`;
    if (this.memberships.has(membership)) return [];
    this.memberships.add(membership);
    community.members.push(user);
    return [joining(user, community.id, 'invite')];
  }

  private editMember(): Step[] {
    const community = this.some(this.communities);
    const user = this.some(community.members);
    const about = { community: community.id, user: user.id, by: user.id };
    const events: readonly WrittenEvent<MemberEvent>[] =
      this.random() < 0.5
        ? [{ type: 'NicknameSet', data: { ...about, nickname: this.text(1) } }]
        : [{ type: 'RolesSet', data: { ...about, roles: community.roles.slice(0, 2) } }];
    return [{ stream: memberStream(community.id, user.id), command: 'EditMember', by: user, events }];
  }

  private editProfile(): Step[] {
    const by = this.some(this.users);
    const events: readonly WrittenEvent<UserEvent>[] = [
      { type: 'BioChanged', data: { user: by.id, bio: this.text(12) } },
    ];
    return [{ stream: userStream(by.id), command: 'EditProfile', by, events }];
  }

  /** Some people in some place begin to talk. */
  private begin(): Conversation {
    const kind = this.random();
    if (kind < 0.72) {
      const community = this.some(this.communities);
      const count = 2 + Math.floor(this.random() * (writersMax - 1));
      return {
        chat: this.some(community.chats),
        writers: Array.from({ length: count }, () => this.some(community.members)),
      };
    }
    const author = this.some(this.users);
    const peerAt = this.users.indexOf(author) * 7 + Math.floor(this.random() * peersOfEach);
    const peer = this.users[peerAt % this.users.length] ?? author;
    if (kind > 0.97 || peer === author) return { chat: selfChat(author.id), writers: [author] };
    return { chat: directChat(author.id, peer.id), writers: [author, peer] };
  }

  /** One of those that go on, or a new one in its place. */
  private conversation(): Conversation {
    const at = Math.floor(this.random() * conversationsMax);
    const known = this.conversations[at];
    if (known !== undefined && this.random() > 1 / conversationMessages) return known;
    const begun = this.begin();
    this.conversations[at] = begun;
    return begun;
  }

  private sendMessage(): Step[] {
    const { chat, writers } = this.conversation();
    const author = this.some(writers);
    const message = this.nextId() as MessageId;
    const answered = this.random() < 0.15 ? this.recent.findLast((sent) => sent.chat === chat)?.message : undefined;
    this.nonce += 1n;
    const data = {
      message,
      chat,
      author: author.id,
      mentions: this.random() < 0.05 ? [this.some(writers).id] : [],
      nonce: this.nonce,
      text: this.text(1 + Math.floor(this.random() ** 3 * 60)),
      entities: this.random() < 0.1 ? someEntities : [],
      ...(answered === undefined ? {} : { replyTo: answered }),
    };
    const sent = { message, chat, author, writers };
    if (this.recent.length < recentMax) this.recent.push(sent);
    else this.recent[Math.floor(this.random() * recentMax)] = sent;
    const events: readonly WrittenEvent<MessageEvent>[] = [{ type: 'MessageSent', data }];
    return [{ stream: messageStream(message), command: 'SendMessage', by: author, events }];
  }

  private changeMessage(command: 'EditMessage' | 'DeleteMessage'): Step[] {
    const at = Math.floor(this.random() * this.recent.length);
    const sent = this.recent[at];
    if (sent === undefined) return [];
    const { message, chat, author: by } = sent;
    const about = { message, chat, author: by.id };
    if (command === 'DeleteMessage') this.recent.splice(at, 1);
    const events: readonly WrittenEvent<MessageEvent>[] =
      command === 'EditMessage'
        ? [{ type: 'MessageEdited', data: { ...about, mentions: [], text: this.text(12), entities: [] } }]
        : [{ type: 'MessageDeleted', data: { ...about, by: by.id } }];
    return [{ stream: messageStream(message), command, by, events }];
  }

  private markRead(): Step[] {
    const sent = this.recent[Math.floor(this.random() * this.recent.length)];
    if (sent === undefined) return [];
    const by = this.some(sent.writers);
    const data = { user: by.id, chat: sent.chat, message: sent.message };
    const events: readonly WrittenEvent<ReadEvent>[] = [{ type: 'MarkerMoved', data }];
    const keeps = reads.keepsEvents === undefined ? {} : { keeps: reads.keepsEvents };
    return [{ stream: reads.stream({ type: 'MarkChatRead', data }), command: 'MarkChatRead', by, events, ...keeps }];
  }

  happens(): Step[] {
    const kind = this.random() * 1_000;
    if (kind < 820) return this.sendMessage();
    if (kind < 905) return this.markRead();
    if (kind < 940) return this.changeMessage('EditMessage');
    if (kind < 960) return this.changeMessage('DeleteMessage');
    if (kind < 985) return this.join();
    if (kind < 991) return this.editMember();
    if (kind < 994) return this.editProfile();
    return kind < 999.9 ? [...this.signUp()] : [...this.found()];
  }
}

const joining = (by: User, community: CommunityId, via: 'founding' | 'invite'): Step => ({
  stream: memberStream(community, by.id),
  command: 'JoinCommunity',
  by,
  events: [{ type: 'MemberJoined', data: { community, user: by.id, via, joining: 1 } }],
});

type Founding = {
  readonly channels: readonly ChannelId[];
  readonly roles: readonly RoleId[];
  readonly text: (words: number) => string;
};

const foundingOf = (
  community: CommunityId,
  by: UserId,
  { channels, roles, text }: Founding,
): readonly WrittenEvent<CommunityEvent>[] => {
  const role = { community, permissions: 0n, color: 0, separated: false, public: false, by };
  return [
    {
      type: 'CommunityCreated',
      data: { community, owner: by, defaultPermissions: usualPermissions, name: text(2) },
    },
    ...channels.map((channel, position): WrittenEvent<CommunityEvent> => ({
      type: 'ChannelCreated',
      data: { community, channel, kind: 'text', position, by, name: text(1) },
    })),
    ...roles.map((id, priority): WrittenEvent<CommunityEvent> => ({
      type: 'RoleCreated',
      data: { ...role, role: id, priority: priority + 1, name: text(1) },
    })),
  ];
};

const someEntities: readonly Entity[] = [{ start: 0, length: 1, kind: 'bold' }];

const words = 'the a of people write short and long about what they saw today some never more than one word'.split(' ');

const textFrom =
  (random: () => number) =>
  (count: number): string =>
    Array.from({ length: count }, () => words[Math.floor(random() * words.length)] ?? '').join(' ');
