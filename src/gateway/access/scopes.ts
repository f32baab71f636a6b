import type { CommunityAsker } from '../../domain/communities/commands.js';
import type { ChannelRef, ChatRef } from '../../gen/refs.js';
import type { ChatKey } from '../../kernel/chat.js';
import { isRejection, reject, type Rejection } from '../../kernel/decider.js';
import type { ChannelId, CommunityId, UserId } from '../../kernel/ids.js';
import type { ProjectionName } from '../../projections/registry.js';
import type { Call } from '../contract/call.js';
import type { Access, ViewerPermissions } from '../contract/viewerPermissions.js';
import { chatKeyFrom } from '../contract/chatRefs.js';
import { askedByMember, askedInChannel, type AskedBy } from './askedAtAppend.js';
import { seenChat, seenTextChat, writableChat, type Looked, type SeenChat } from './chatAccess.js';
import { accessFor, channelAsker, memberAsker } from './memberAccess.js';

/**
 * A handler that is wrapped here runs once access holds all that the session wrote, and only for a caller whom the
 * community, channel or chat admits: a handler cannot forget to wait or to ask.
 */
type Wrapped<Request, Result> = (request: Request, call: Call) => Promise<Result | Rejection>;

export type ScopeOptions<Request> = {
  /**
   * Read models that the handler reads. The wait for them comes before the check, because a caller who loses sight of
   * a chat during the wait must not read what came after.
   */
  readonly reads?: readonly [ProjectionName, ...ProjectionName[]];
  /** Users beside the caller on whom the answer depends. */
  readonly others?: (request: Request) => readonly UserId[];
};

export type CommunityScope = {
  readonly community: CommunityId;
  /** The caller, with their permissions in the community. */
  readonly by: CommunityAsker;
  /** As of now. Another moment's are in `access.now` after the next await. */
  readonly permissions: ViewerPermissions;
  /** For the commands of the handler, which run with the rights of their append. */
  readonly asked: AskedBy;
};

/** For members only: `COMMUNITY_NOT_FOUND` answers the others. */
export const inCommunity =
  <Request extends { readonly communityId: CommunityId }, Result>(
    access: Access,
    handle: (request: Request, call: Call, scope: CommunityScope) => Promise<Result | Rejection>,
    { reads, others }: ScopeOptions<Request> = {},
  ): Wrapped<Request, Result> =>
  async (request, call) => {
    const { communityId: community } = request;
    if (reads !== undefined) await call.upToDate(...reads);
    const users = others?.(request);
    await accessFor(access, call, community, users);
    const by = memberAsker(access.now, community, call.caller.user);
    if (isRejection(by)) return by;
    const asked = askedByMember(access, call, community, users);
    return handle(request, call, { community, by, permissions: access.now, asked });
  };

export type ChannelScope = CommunityScope & { readonly channel: ChannelId };

type ChannelRequest = ChannelRef | { readonly channel?: ChannelRef | undefined };

/** For members who may view the channel: `CHANNEL_NOT_FOUND` answers the others. `by` has the permissions in the channel. */
export const inChannel =
  <Request extends ChannelRequest, Result>(
    access: Access,
    handle: (request: Request, call: Call, scope: ChannelScope) => Promise<Result | Rejection>,
  ): Wrapped<Request, Result> =>
  async (request, call) => {
    const ref = channelRefIn(request);
    if (isRejection(ref)) return ref;
    const { communityId: community, channelId: channel } = ref;
    await accessFor(access, call, community);
    const by = channelAsker(access.now, ref, call.caller.user);
    if (isRejection(by)) return by;
    const asked = askedInChannel(access, call, ref);
    return handle(request, call, { community, channel, by, permissions: access.now, asked });
  };

const channelRefIn = (request: ChannelRequest): ChannelRef | Rejection => {
  if ('channelId' in request) return request;
  return request.channel ?? reject('INVALID_ARGUMENT', 'channel is missing');
};

/** The right that the caller must have in the chat: to see it; to see it, where it has messages; to write there. */
export type ChatRight = 'see' | 'read' | 'write';

const chatsBy: Readonly<Record<ChatRight, (access: Access, call: Call, chat: ChatKey) => Looked>> = {
  see: seenChat,
  read: seenTextChat,
  write: writableChat,
};

type ChatRequest = { readonly chatRef?: ChatRef | undefined };

/** For callers with this right in the chat: the others are answered as if there were no such chat, or `MISSING_PERMISSION`. */
export const inChat = (
  access: Access,
  right: ChatRight,
): (<Request extends ChatRequest, Result>(
  handle: (request: Request, call: Call, chat: SeenChat) => Promise<Result | Rejection>,
  options?: Pick<ScopeOptions<Request>, 'reads'>,
) => Wrapped<Request, Result>) => {
  const chatFor = chatsBy[right];
  return (handle, { reads } = {}) =>
    async (request, call) => {
      const key = chatKeyFrom(request.chatRef, call.caller.user);
      if (isRejection(key)) return key;
      if (reads !== undefined) await call.upToDate(...reads);
      const chat = await chatFor(access, call, key);
      return isRejection(chat) ? chat : handle(request, call, chat);
    };
};
