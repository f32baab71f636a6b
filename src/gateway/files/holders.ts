import type { AttachedFile } from '../../domain/messages/events.js';
import { boundedMap } from '../../kernel/boundedMap.js';
import { byKind, parseChatKey, type ChatKey } from '../../kernel/chat.js';
import type { FileId } from '../../kernel/ids.js';
import { unless } from '../../kernel/opened.js';
import { firstUseAfter, usesIn } from '../../projections/files/queries.js';
import { messagesById } from '../../projections/messages/queries.js';
import type { Reads } from '../../projections/reading/queries.js';
import type { Call } from '../contract/call.js';
import { meteredReads } from '../contract/meteredReads.js';
import type { Access } from '../contract/viewerPermissions.js';
import { soonerOrLater } from '../access/soonerOrLater.js';

export type HolderNeeds = { readonly access: Access; readonly reads: Reads };

/** The chats in which a file is looked for at a time. */
export const chatsLookedInMax = 200;

/** The messages of a chat that use one file and are looked at: one that is just being deleted may be among them. */
const usesLookedAtMax = 5;

/** Where a node remembers to have found files that were asked for. */
const placesMax = 20_000;

/** A file may be read by the users who see, as of now, a chat in which a message has it. */
export interface Holders {
  /** The file as a message that the caller sees has it; undefined when none has, the same as if there never was such a file. */
  seenBy(this: void, call: Call, file: FileId): Promise<AttachedFile | undefined>;
}

export const holders = (needs: HolderNeeds): Holders => {
  const places = boundedMap<string, ChatKey>({ entriesMax: placesMax });
  const look = async (plain: HolderNeeds, call: Call, file: FileId): Promise<AttachedFile | undefined> => {
    // Each use that is looked at has its price, and others get their turns meanwhile.
    const needs = { ...plain, reads: meteredReads(plain.reads, call) };
    const name = `${call.caller.user.toString()} ${file.toString()}`;
    const last = places.get(name);
    const there = last && (await inChat(needs, call, file, last));
    if (there !== undefined) return there;
    let after: ChatKey | undefined;
    for (let looked = 0; looked < chatsLookedInMax; looked += 1) {
      const use = await firstUseAfter(needs.reads, file, after);
      if (use === undefined) return undefined;
      after = use.chat;
      const found = await inChat(needs, call, file, use.chat);
      if (found === undefined) continue;
      places.set(name, use.chat);
      return found;
    }
    return undefined;
  };
  return {
    seenBy: async (call, file) => {
      await call.upToDate('files', 'messages');
      return soonerOrLater(call, ['files', 'messages'], () => look(needs, call, file));
    },
  };
};

const inChat = async (
  { access, reads }: HolderNeeds,
  call: Call,
  file: FileId,
  chat: ChatKey,
): Promise<AttachedFile | undefined> => {
  if (!(await maySee(access, call, chat))) return undefined;
  for (const { message } of await usesIn(reads, file, { chat, limit: usesLookedAtMax })) {
    const [found] = await messagesById(reads, [message]);
    const media = found?.media === undefined ? [] : unless(found.media, []);
    const held = media.find((one) => one.file?.file === file)?.file;
    if (held !== undefined) return held;
  }
  return undefined;
};

/** As of the last event that this node has folded. */
const maySee = async (access: Access, call: Call, chat: ChatKey): Promise<boolean> => {
  const { user } = call.caller;
  await call.accessUpToDate();
  const loading = byKind(parseChatKey(chat), {
    channel: ({ community }) => access.load(community, [user]),
    direct: () => undefined,
    self: () => undefined,
    group: () => undefined,
  });
  if (loading !== undefined) await loading;
  return access.now.maySee(chat, user);
};
