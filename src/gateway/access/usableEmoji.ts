import { reject, type Command, type Rejection } from '../../kernel/decider.js';
import type { Asked } from '../../kernel/execute.js';
import type { CommunityId, FileId } from '../../kernel/ids.js';
import type { Reads } from '../../projections/reading/queries.js';
import { emojiById } from '../../projections/stickers/queries.js';
import type { Call } from '../contract/call.js';
import { costs } from '../contract/meter.js';
import { meteredReads, turnOf } from '../contract/meteredReads.js';
import type { Access } from '../contract/viewerPermissions.js';

export type UsableEmojiNeeds = { readonly access: Access; readonly reads: Reads };

/** The communities whose emoji somebody is about to use. */
export type EmojiOrigins = readonly CommunityId[];

/**
 * The communities of these custom emoji, when the caller can use all of them: they are in packs of communities that the
 * caller is a member of. All others are refused alike, so that nobody learns which there are.
 */
export const usableEmoji = (
  needs: UsableEmojiNeeds,
  call: Call,
  used: readonly FileId[],
): Promise<EmojiOrigins | Rejection> | EmojiOrigins => {
  const emoji = [...new Set(used)];
  return emoji.length === 0 ? [] : originsOf(needs, call, emoji);
};

const originsOf = async (
  { access, reads }: UsableEmojiNeeds,
  call: Call,
  emoji: readonly FileId[],
): Promise<EmojiOrigins | Rejection> => {
  const metered = meteredReads(reads, call);
  await call.keysUpToDate('stickers');
  let found = await emojiById(metered, emoji);
  if (found.length < emoji.length) {
    // Ids travel from hand to hand faster than the read models follow.
    await call.upToDateWithLog('stickers');
    found = await emojiById(metered, emoji);
  }
  if (found.length < emoji.length || found.some(({ removed }) => removed)) return notUsable;
  const origins = [...new Set(found.map(({ community }) => community))];
  await call.accessUpToDate();
  for (const community of origins) {
    await turnOf(call.meter, costs.document);
    const loading = access.load(community, [call.caller.user]);
    if (loading !== undefined) await loading;
    if (!isMember(access, call, community)) return notUsable;
  }
  return origins;
};

const notUsable = reject('EMOJI_NOT_FOUND');

const isMember = ({ now }: Access, { caller }: Call, community: CommunityId): boolean =>
  now.member(community, caller.user) !== undefined;

/**
 * The same command, and refused when the caller is not in all of these communities any more in the tick in which its
 * append is handed to the log. An emoji that is removed in the very moment of its use may be used once more.
 */
export const whileUsable =
  <C extends Command | readonly Command[]>(
    access: Access,
    call: Call,
    origins: EmojiOrigins,
    ask: Asked<C>,
  ): Asked<C> =>
  (decidedOn) => {
    const waiting = origins.flatMap((community) => access.upToAppends(community, [call.caller.user]) ?? []);
    if (waiting.length > 0) return Promise.all(waiting);
    return origins.every((community) => isMember(access, call, community)) ? ask(decidedOn) : notUsable;
  };
