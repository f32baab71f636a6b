import type { MessageEntityInit } from '../../../../src/gen/types.js';
import type { CommunityId, FileId, StickerPackId, UserId } from '../../../../src/kernel/ids.js';
import { community } from '../../../support/house/cast.js';
import type { Node, Who } from '../../../support/house/node.js';
import { upload } from '../../files/filing.js';

/** One transparent pixel. */
export const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);

export const packOf = (id: bigint) => ({ pack: { id: id as StickerPackId } });

/** The request that puts a new upload of a picture into the pack, named as clients do. */
export const newSticker = async (node: Node, who: Who, name: string, pack: bigint = community) => {
  const id = await upload(node, who, png);
  const file = { id, name: 'picture.png', partCount: 1 };
  return { ...packOf(pack), sticker: { file, mimetype: 'image/png', metadata: { customEmoji: { emoji: name } } } };
};

/** `done`, or the reason of the refusal. */
export const addSticker = async (node: Node, who: Who, name: string, pack: bigint = community): Promise<string> => {
  const answer = await node.ask(who, 'stickersAddStickerToPack', await newSticker(node, who, name, pack));
  return 'rejected' in answer ? answer.rejected : 'done';
};

export const removeSticker = async (
  node: Node,
  who: Who,
  stickerId: FileId,
  pack: bigint = community,
): Promise<string> => {
  const answer = await node.ask(who, 'stickersRemoveStickerFromPack', { ...packOf(pack), stickerId });
  return 'rejected' in answer ? answer.rejected : 'done';
};

export const packFor = async (node: Node, who: Who, pack: bigint = community) =>
  (await node.must(who, 'stickersGetStickerPack', packOf(pack))).stickerPack;

type Shown = Awaited<ReturnType<typeof packFor>>;

/** The names in a pack, in their order. */
export const namesIn = ({ stickers }: Shown): readonly (string | undefined)[] =>
  stickers.map(({ metadata }) => metadata?.customEmoji?.emoji);

let named = 0;
/** A new emoji of the community, which its owner has made. */
export const newEmoji = async (node: Node, owner: UserId, of: CommunityId = community): Promise<FileId> => {
  named += 1;
  const answer = await addSticker(node, owner, `emoji_${named.toString()}`, of);
  const { stickers } = await packFor(node, owner, of);
  const made = stickers.at(-1)?.fileId;
  if (answer !== 'done' || made === undefined) throw new Error(`no emoji was made: ${answer}`);
  return made;
};

/** Covers the first character. */
export const emojiEntity = (emojiId: FileId, startIndex = 0): MessageEntityInit => ({
  startIndex,
  length: 1,
  customEmoji: { emojiId },
});
