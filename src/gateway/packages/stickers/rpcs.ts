import type { CommunityAsker } from '../../../domain/communities/commands.js';
import type { StickerPackCommand } from '../../../domain/stickers/commands.js';
import { stickerPacks } from '../../../domain/stickers/decide.js';
import type { StickerPackInit } from '../../../gen/stickers.js';
import { isRejection, reject, type Rejection } from '../../../kernel/decider.js';
import type { CommunityId, FileId, StickerPackId } from '../../../kernel/ids.js';
import { has } from '../../../kernel/permissions.js';
import type { Ids } from '../../../kernel/ports/system.js';
import type { Reads } from '../../../projections/reading/queries.js';
import type { StickerPackDocument } from '../../../projections/stickers/documents.js';
import { emojiById, stickerPack, type ShownEmoji } from '../../../projections/stickers/queries.js';
import { askedByMember } from '../../access/askedAtAppend.js';
import { accessFor, memberAsker } from '../../access/memberAccess.js';
import { soonerOrLater } from '../../access/soonerOrLater.js';
import type { Call } from '../../contract/call.js';
import { done, type Handlers } from '../../contract/handlers.js';
import { meteredReads } from '../../contract/meteredReads.js';
import type { Access } from '../../contract/viewerPermissions.js';
import type { FileStore } from '../../files/fileStore.js';
import { fileFor } from '../../rendering/file.js';
import { emojiPicture } from './picture.js';
import { packFor } from './packs.js';
import { savedPacks } from './savedPacks.js';
import { addingOf, packIn, sinceIn } from './wire.js';

export type StickerNeeds = {
  readonly access: Access;
  readonly files: Pick<FileStore, 'made'>;
  readonly ids: Pick<Ids, 'next'>;
  readonly reads: Reads;
};

type Built =
  | 'stickersGetSavedStickers'
  | 'stickersGetStickerFiles'
  | 'stickersGetStickerPack'
  | 'stickersAddStickerToPack'
  | 'stickersRemoveStickerFromPack';

export const stickerRpcs = (needs: StickerNeeds): Handlers<Built> => ({
  stickersGetSavedStickers: async ({ since }, call) => ({
    savedStickers: { savedPacks: await savedPacks(needs, call, since === undefined ? undefined : sinceIn(since)) },
  }),

  stickersGetStickerFiles: async ({ stickerIds }, call) => ({
    files: { files: (await shownEmoji(needs, call, [...new Set(stickerIds)])).map(({ file }) => fileFor(file)) },
  }),

  async stickersGetStickerPack({ pack: ref }, call) {
    const id = packIn(ref);
    if (isRejection(id)) return id;
    const seen = await seenPack(needs, call, id);
    if (isRejection(seen)) return seen;
    const reads = meteredReads(needs.reads, call);
    const emoji = await emojiById(reads, seen.pack?.emoji ?? []);
    // Looked at after the reads, during which the right may have gone.
    const asker = await askerIn(needs, call, seen.community);
    return isRejection(asker) ? asker : { stickerPack: shownPack(needs, seen, emoji) };
  },

  async stickersAddStickerToPack(request, call) {
    const adding = addingOf(request);
    if (isRejection(adding)) return adding;
    const community = await packToChange(needs, call, adding.pack);
    if (isRejection(community)) return community;
    const picture = await emojiPicture(needs.files, call, adding.upload);
    if (isRejection(picture)) return picture;
    const { file: emoji, ...shown } = picture;
    const elsewhere = (await emojiById(meteredReads(needs.reads, call), [emoji])).some(
      (one) => one.community !== community,
    );
    if (elsewhere) return reject('INVALID_UPLOAD', 'it is an emoji of another community');
    const { name } = adding;
    return changed(needs, call, community, ({ user: uploader }) => ({
      type: 'AddStickerToPack',
      data: { community, newPack: needs.ids.next() as StickerPackId, emoji, uploader, name, ...shown },
    }));
  },

  async stickersRemoveStickerFromPack({ pack: ref, stickerId: emoji }, call) {
    const id = packIn(ref);
    if (isRejection(id)) return id;
    const community = await packToChange(needs, call, id);
    if (isRejection(community)) return community;
    return changed(needs, call, community, ({ user: by }) => ({
      type: 'RemoveStickerFromPack',
      data: { community, emoji, by },
    }));
  },
});

/** Removed ones among them, because messages still show them. Anybody may ask: the ids are in messages. */
const shownEmoji = async (
  { reads: plain }: StickerNeeds,
  call: Call,
  ids: readonly FileId[],
): Promise<readonly ShownEmoji[]> => {
  const reads = meteredReads(plain, call);
  await call.keysUpToDate('stickers');
  const found = await emojiById(reads, ids);
  if (found.length === ids.length) return found;
  // As in `soonerOrLater`.
  await call.upToDateWithLog('stickers');
  return emojiById(reads, ids);
};

type SeenPack = {
  readonly community: CommunityId;
  /** Undefined while no emoji was ever added. */
  readonly pack: StickerPackDocument | undefined;
};

/** By the pack's own id, or by that of its community, for members of the community. Others do not learn whether it is there. */
const seenPack = async (
  needs: StickerNeeds,
  call: Call,
  id: StickerPackId,
): Promise<(SeenPack & { readonly by: CommunityAsker }) | Rejection> => {
  await call.keysUpToDate('stickers');
  const reads = meteredReads(needs.reads, call);
  const look = async () => {
    const pack = await stickerPack(reads, id);
    // A community stands for its pack.
    const community = pack?.community ?? (id as bigint as CommunityId);
    const by = await askerIn(needs, call, community);
    return isRejection(by) ? undefined : { community, pack, by };
  };
  return (await soonerOrLater(call, ['stickers'], look)) ?? packNotFound;
};

const packNotFound = reject('STICKER_PACK_NOT_FOUND');

const askerIn = async (
  { access }: StickerNeeds,
  call: Call,
  community: CommunityId,
): Promise<CommunityAsker | Rejection> => {
  await accessFor(access, call, community);
  const by = memberAsker(access.now, community, call.caller.user);
  return isRejection(by) ? packNotFound : by;
};

const shownPack = (
  { access }: StickerNeeds,
  { community, pack }: SeenPack,
  emoji: readonly ShownEmoji[],
): StickerPackInit => {
  const files = emoji.filter(({ removed }) => !removed).map(({ file }) => fileFor(file));
  return packFor(access.now.community(community), { id: pack?.pack ?? community, files });
};

/** The community of a pack that the caller may change. */
const packToChange = async (needs: StickerNeeds, call: Call, id: StickerPackId): Promise<CommunityId | Rejection> => {
  const seen = await seenPack(needs, call, id);
  if (isRejection(seen)) return seen;
  return mayChange(seen.by) ? seen.community : reject('MISSING_PERMISSION');
};

const mayChange = ({ permissions }: CommunityAsker): boolean => has(permissions, 'modifyLinkedStickers');

const changed = async (
  { access }: StickerNeeds,
  call: Call,
  community: CommunityId,
  make: (by: CommunityAsker) => StickerPackCommand,
) => {
  const command = askedByMember(
    access,
    call,
    community,
  )((by): StickerPackCommand | Rejection => (mayChange(by) ? make(by) : reject('MISSING_PERMISSION')));
  return done(await call.run(stickerPacks, command));
};
