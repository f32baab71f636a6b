import type { PhotoContent } from '../../domain/files/events.js';
import type { AttachedFile } from '../../domain/messages/events.js';
import { boundedMap } from '../../kernel/boundedMap.js';
import { byKind, channelChat, channelsOf, parseChatKey, type ChatKey } from '../../kernel/chat.js';
import type { CommunityId, FileId } from '../../kernel/ids.js';
import { unless } from '../../kernel/opened.js';
import { firstOwnUseAfter, firstUseAfter, firstUseFrom, photoUseOf, usesIn } from '../../projections/files/queries.js';
import { memberships } from '../../projections/members/queries.js';
import { previewsOf } from '../../projections/previews/queries.js';
import { messagesById } from '../../projections/messages/queries.js';
import { emojiById } from '../../projections/stickers/queries.js';
import type { Reads } from '../../projections/reading/queries.js';
import type { Call } from '../contract/call.js';
import { costs } from '../contract/meter.js';
import { meteredReads } from '../contract/meteredReads.js';
import type { Access } from '../contract/viewerPermissions.js';
import { soonerOrLater } from '../access/soonerOrLater.js';

export type HolderNeeds = { readonly access: Access; readonly reads: Reads };

/** The messages of a chat that use one file and are looked at: one that is just being deleted may be among them. */
const usesLookedAtMax = 5;

/** Direct chats of one user in which a file is looked for: each of them may be just losing it. */
const ownChatsLookedInMax = 50;

/** Where a node remembers to have found files that were asked for. */
const placesMax = 20_000;

/**
 * A file may be read by the users who see, as of now, a chat in which a message has it. The picture of a custom emoji may be
 * read by everybody, also when it was removed from its pack: the users to whom the emoji is shown are too many to be looked up for each picture.
 * A photo of a user or a community, or a banner, may be read by everybody.
 */
export interface Holders {
  /**
   * The file as a message that the caller sees has it, or as a custom emoji; undefined when none has, the same as if there
   * never was such a file.
   */
  seenBy(this: void, call: Call, file: FileId): Promise<AttachedFile | undefined>;
  /** The content, which everybody may know, of a file that is the photo of a user or a community, or a banner. */
  photo(this: void, call: Call, file: FileId): Promise<PhotoContent | undefined>;
}

/** A look for one file, on behalf of one user. */
type Look = HolderNeeds & { readonly call: Call; readonly file: FileId };

type Found = { readonly chat: ChatKey; readonly held: AttachedFile };

export const holders = (needs: HolderNeeds): Holders => {
  const places = boundedMap<string, ChatKey>({ entriesMax: placesMax });
  const seen = async (call: Call, file: FileId): Promise<AttachedFile | undefined> => {
    // Each use that is looked at has its price, and others get their turns meanwhile.
    const look = { ...needs, reads: meteredReads(needs.reads, call), call, file };
    const name = `${call.caller.user.toString()} ${file.toString()}`;
    const last = places.get(name);
    const there = last && (await inChat(look, last));
    if (there !== undefined) return there;
    const [emoji] = await emojiById(look.reads, [file]);
    if (emoji !== undefined) return emoji.file;
    const found = (await inOwnChats(look)) ?? (await inCommunities(look));
    if (found !== undefined) places.set(name, found.chat);
    return found?.held;
  };
  return {
    seenBy: async (call, file) => {
      await call.keysUpToDate('members', 'messages', 'stickers');
      await call.upToDate('files');
      return soonerOrLater(call, ['files', 'members', 'messages', 'stickers'], () => seen(call, file));
    },
    photo: async (call, file) => {
      await call.upToDate('files');
      const reads = meteredReads(needs.reads, call);
      const use = await soonerOrLater(call, ['files'], () => photoUseOf(reads, file));
      return use && unless(use.content, undefined);
    },
  };
};

/** The chats whose keys name the user. */
const inOwnChats = async (look: Look): Promise<Found | undefined> => {
  const of = { file: look.file, user: look.call.caller.user };
  let after = '';
  for (let looked = 0; looked < ownChatsLookedInMax; looked += 1) {
    const use = await firstOwnUseAfter(look.reads, of, after);
    if (use === undefined) return undefined;
    const held = await inChat(look, use.chat);
    if (held !== undefined) return { chat: use.chat, held };
    after = use.chat;
  }
  return undefined;
};

/**
 * The channels that the user sees, beside those that have the file. Both are walked through in the order of their keys, each skipping to
 * where the other one is. So it takes no more steps than the user has communities and, where these have the file, channels; however
 * many others have it.
 */
const inCommunities = async (look: Look): Promise<Found | undefined> => {
  const { reads, call, file } = look;
  const joined = (await memberships(reads, call.caller.user)).map(({ community }) => community);
  const communities = joined.toSorted((one, other) => order(channelsOf(one), channelsOf(other)));
  let next: ChatKey | undefined;
  for (const community of communities) {
    const prefix = channelsOf(community);
    if (next === undefined || order(next, prefix) < 0) {
      next = (await firstUseAfter(reads, file, prefix))?.chat;
      if (next === undefined) return undefined;
    }
    if (!next.startsWith(prefix)) continue;
    const found = await inChannels(look, await channelsSeen(look, community), next);
    if (found !== undefined) return found;
  }
  return undefined;
};

/** `channels` in the order of their keys; `first` is the first one of their community that has the file. */
const inChannels = async (look: Look, channels: readonly ChatKey[], first: ChatKey): Promise<Found | undefined> => {
  let next: ChatKey | undefined = first;
  for (const chat of channels) {
    if (order(next, chat) < 0) next = (await firstUseFrom(look.reads, look.file, chat))?.chat;
    if (next === undefined) return undefined;
    const held = next === chat ? await inChat(look, chat) : undefined;
    if (held !== undefined) return { chat, held };
  }
  return undefined;
};

const channelsSeen = async ({ access, call }: Look, community: CommunityId): Promise<readonly ChatKey[]> => {
  const { user } = call.caller;
  await loaded(access, call, community);
  const channels = access.now.community(community)?.channels ?? [];
  call.meter.spend((costs.hundredChannels * channels.length) / 100);
  return channels
    .map(({ id }) => channelChat(community, id))
    .filter((chat) => access.now.maySee(chat, user))
    .sort(order);
};

const order = (one: string, other: string): number => (one < other ? -1 : Number(one > other));

const inChat = async ({ access, reads, call, file }: Look, chat: ChatKey): Promise<AttachedFile | undefined> => {
  if (!(await maySee(access, call, chat))) return undefined;
  for (const { message } of await usesIn(reads, file, { chat, limit: usesLookedAtMax })) {
    const [[found], [previewed]] = await Promise.all([messagesById(reads, [message]), previewsOf(reads, [message])]);
    const media = found?.media === undefined ? [] : unless(found.media, []);
    const cloaked = found?.botInfo && unless(found.botInfo, undefined);
    // The preview of a message that is gone, or of former words, is shown to nobody.
    const shown = found && previewed?.revision === (found.revision ?? 0) ? previewed.preview : undefined;
    const picture = shown && unless(shown, undefined)?.picture;
    const held = [...media.map((one) => one.file), cloaked?.cloakPhoto, picture].find((one) => one?.file === file);
    if (held !== undefined) return held;
  }
  return undefined;
};

/** As of the last event that this node has folded. */
const maySee = async (access: Access, call: Call, chat: ChatKey): Promise<boolean> => {
  const { user } = call.caller;
  await byKind<Promise<void> | undefined>(parseChatKey(chat), {
    channel: ({ community }) => loaded(access, call, community),
    direct: () => call.accessUpToDate(),
    self: () => call.accessUpToDate(),
    group: () => call.accessUpToDate(),
  });
  return access.now.maySee(chat, user);
};

const loaded = async (access: Access, call: Call, community: CommunityId): Promise<void> => {
  await call.accessUpToDate();
  const loading = access.load(community, [call.caller.user]);
  if (loading !== undefined) await loading;
};
