import { byKind, parseChatKey as placeOf, peerOf, type Chat, type ChatKey, type ChatOf } from '../../kernel/chat.js';
import { isRejection, reject, type Command, type Rejection } from '../../kernel/decider.js';
import type { Asked } from '../../kernel/execute.js';
import type { UserId } from '../../kernel/ids.js';
import { has, permission, usualPermissions } from '../../kernel/permissions.js';
import { after } from '../../kernel/timing.js';
import type { ChannelRecord, CommunityDocument } from '../../projections/communities/documents.js';
import type { Call } from '../contract/call.js';
import type { Access } from '../contract/viewerPermissions.js';

/** A chat that the caller may see. */
export type SeenChat = {
  readonly key: ChatKey;
  readonly place: Chat;
  /** The caller's permissions in it. */
  readonly permissions: bigint;
  /** In communities only: as they are now, which may not be what the read models hold. */
  readonly community?: CommunityDocument;
  readonly channel?: ChannelRecord;
};

/** Outside communities nobody is above the others: all may do all, but to their own messages only. */
export const directPermissions = usualPermissions | permission.pinMessages;

/** Refuses with the same words a chat that does not exist and one that the caller may not see. */
export const seenChat = (access: Access, call: Call, key: ChatKey): Looked =>
  byKind<Looked>(placeOf(key), {
    channel: (place) => seenChannel(access, call, { key, place }),
    direct: (place) => seenDirect(access, call, { key, place }),
    self: (place) => ({ key, place, permissions: directPermissions }),
    // No RPC makes groups yet, so there is none to be seen.
    group: () => reject('CHAT_NOT_FOUND'),
  });

/** A chat that was looked at: without a promise where all is in memory, as it nearly always is. */
export type Looked = SeenChat | Rejection | Promise<SeenChat | Rejection>;

/** The same, for RPCs about messages: categories have none. */
export const seenTextChat = (access: Access, call: Call, key: ChatKey): Looked =>
  after(seenChat(access, call, key), withMessages);

const withMessages = (seen: SeenChat | Rejection): SeenChat | Rejection =>
  !isRejection(seen) && seen.channel?.kind === 'category' ? reject('NOT_A_TEXT_CHAT') : seen;

/** The same, for a caller that wants to write there. */
export const writableChat = async (access: Access, call: Call, key: ChatKey): Promise<SeenChat | Rejection> => {
  const seen = await seenTextChat(access, call, key);
  if (isRejection(seen)) return seen;
  if (!has(seen.permissions, 'sendMessages')) return reject('MISSING_PERMISSION');
  return call.caller.bot === true ? forBot(access, call, seen) : seen;
};

/** A bot must be known to the one whom it writes to, so that nobody is written to by the bots of strangers. */
const forBot = (access: Access, call: Call, seen: SeenChat): Promise<SeenChat | Rejection> | SeenChat =>
  byKind<Promise<SeenChat | Rejection> | SeenChat>(seen.place, {
    direct: async (place) => {
      const { user } = call.caller;
      const peer = peerOf(place, user);
      await call.accessUpToDate();
      if (await access.shareCommunity(user, peer)) return seen;
      await call.keysUpToDate('conversations');
      return (await access.hasWrittenTo(peer, user)) ? seen : reject('BOT_NOT_ADDRESSED');
    },
    channel: () => seen,
    self: () => seen,
    group: () => seen,
  });

/**
 * A command about the messages of a chat that the caller saw, made anew with the rights of the tick in which its append
 * is handed to the log: see `AskedBy`.
 */
export const askedInChat =
  <C extends Command | readonly Command[]>(
    access: Access,
    call: Call,
    { key, place, permissions }: SeenChat,
    make: (seen: SeenChat) => C | Rejection,
  ): Asked<C> =>
  () => {
    const seen = byKind<SeenChat | Rejection | Promise<void>>(place, {
      channel: (channel) =>
        access.upToAppends(channel.community, [call.caller.user]) ??
        withMessages(channelNow(access, call.caller.user, { key, place: channel })),
      // Nothing takes away what the two sides may do.
      direct: () => ({ key, place, permissions }),
      self: () => ({ key, place, permissions }),
      group: () => reject('CHAT_NOT_FOUND'),
    });
    return seen instanceof Promise || isRejection(seen) ? seen : make(seen);
  };

type DirectPlace = { readonly key: ChatKey; readonly place: ChatOf<'direct'> };

const seenDirect = async (access: Access, call: Call, { key, place }: DirectPlace): Promise<SeenChat | Rejection> => {
  const peer = await access.user(peerOf(place, call.caller.user));
  return peer === undefined ? reject('USER_NOT_FOUND') : { key, place, permissions: directPermissions };
};

type PlacedChannel = { readonly key: ChatKey; readonly place: ChatOf<'channel'> };

const seenChannel = (access: Access, call: Call, placed: PlacedChannel): Looked => {
  const { user } = call.caller;
  const load = (): Promise<void> | undefined => access.load(placed.place.community, [user]);
  // Waiting for a community that is loaded already would let it be put out of memory again before it is looked at.
  return after(call.accessUpToDate(), () => after(load(), () => channelNow(access, user, placed)));
};

const channelNow = (access: Access, user: UserId, { key, place }: PlacedChannel): SeenChat | Rejection => {
  const permissions = access.now.inChannel(place.community, place.channel, user);
  const community = access.now.community(place.community);
  const channel = community?.channels.find(({ id }) => id === place.channel);
  if (community === undefined || channel === undefined) return reject('CHAT_NOT_FOUND');
  if (!has(permissions, 'viewChannel')) return reject('CHAT_NOT_FOUND');
  return { key, place, permissions, community, channel };
};
