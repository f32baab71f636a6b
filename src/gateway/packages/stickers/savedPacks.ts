import type { FileInit } from '../../../gen/media.js';
import type { StickerPackInit } from '../../../gen/stickers.js';
import { millisOf, type FileId, type Millis } from '../../../kernel/ids.js';
import type { Membership } from '../../../projections/members/documents.js';
import { memberships } from '../../../projections/members/queries.js';
import type { Reads } from '../../../projections/reading/queries.js';
import type { StickerPackDocument } from '../../../projections/stickers/documents.js';
import { emojiById, stickerPacksOf } from '../../../projections/stickers/queries.js';
import { accessInTurn } from '../../access/memberAccess.js';
import type { Call } from '../../contract/call.js';
import { meteredReads } from '../../contract/meteredReads.js';
import type { Access } from '../../contract/viewerPermissions.js';
import { fileFor } from '../../rendering/file.js';
import { packFor } from './packs.js';

export type SavedPacksNeeds = { readonly access: Access; readonly reads: Reads };

/**
 * Emoji that one answer says everything of; of the others it has the id alone, for `stickers.GetStickerFiles`. So an answer
 * with all packs that a user can have stays within one frame.
 */
export const emojiInFullMax = 1_000;

/** Nobody saves a pack: the packs of a user are those of their communities, with or without emoji that are left. */
export const savedPacks = async (
  { access, reads: plain }: SavedPacksNeeds,
  call: Call,
  since: Millis | undefined,
): Promise<readonly StickerPackInit[]> => {
  const { user } = call.caller;
  const reads = meteredReads(plain, call);
  await call.keysUpToDate('members', 'stickers');
  const joined = new Map((await memberships(reads, user)).map((membership) => [membership.community, membership]));
  const packs = await stickerPacksOf(reads, [...joined.keys()]);
  const wanted = packs.filter((pack) => since === undefined || isNewSince(since, pack, joined.get(pack.community)));
  const files = await inFull(reads, wanted);
  const saved: StickerPackInit[] = [];
  for (const { pack: id, community, emoji } of wanted) {
    await accessInTurn(access, call, community);
    // It may have been left, or deleted, during the waits.
    if (access.now.member(community, user) === undefined) continue;
    const shown = emoji.flatMap((fileId) => files.get(fileId) ?? [{ fileId }]);
    saved.push(packFor(access.now.community(community), { id, files: shown }));
  }
  return saved;
};

/** A pack that changed in the very moment is said again, and so is the pack of a community that the user joined since. */
const isNewSince = (since: Millis, { changedAt }: StickerPackDocument, membership: Membership | undefined): boolean =>
  changedAt >= since || (membership !== undefined && millisOf(membership.joined) >= since);

/** Of each emoji that was asked for: nothing where it is of an erased user, or was removed since its pack was read. */
const inFull = async (
  reads: Reads,
  packs: readonly StickerPackDocument[],
): Promise<ReadonlyMap<FileId, readonly FileInit[]>> => {
  const asked = packs.flatMap(({ emoji }) => emoji).slice(0, emojiInFullMax);
  const files = new Map<FileId, readonly FileInit[]>(asked.map((emoji) => [emoji, []]));
  for (const { emoji, removed, file } of await emojiById(reads, asked)) if (!removed) files.set(emoji, [fileFor(file)]);
  return files;
};
