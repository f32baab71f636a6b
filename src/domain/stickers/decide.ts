import { reject, type CommandOf, type Decider, type Decision } from '../../kernel/decider.js';
import type { FileId } from '../../kernel/ids.js';
import { isShredded, opened } from '../../kernel/opened.js';
import type { StickerPackCommand } from './commands.js';
import { emojiNameKeyed } from './emojiName.js';
import { stickerPackStream, type StickerPackEvent } from './events.js';
import { emptyPack, evolve, initial, snapshots, type NamedEmoji, type StickerPackState } from './state.js';

/** Emoji of one pack that can be used. */
export const emojiMax = 200;

/** Emoji of one pack that were removed and are still shown where they were used. */
export const removedKeptMax = 800;

/** Ids in one event, which must stay below `eventBytesMax`. */
export const releasedPerEventMax = 1_000;

export const stickerPacks: Decider<StickerPackCommand, StickerPackState, StickerPackEvent> = {
  stream: ({ data }) => stickerPackStream(data.community),
  initial,
  evolve,
  snapshots,
  rules: {
    AddStickerToPack: (data, state) => addSticker(data, state),

    RemoveStickerFromPack: ({ community, emoji: gone, by }, state) => {
      if (state.status !== 'living') return reject('EMOJI_NOT_FOUND');
      const { pack, emoji, removed } = state;
      if (removed.includes(gone)) return [];
      if (!emoji.some((one) => one.emoji === gone)) return reject('EMOJI_NOT_FOUND');
      const released = [...removed, gone].slice(0, Math.max(0, removed.length + 1 - removedKeptMax));
      return [{ type: 'EmojiRemoved', data: { community, pack, emoji: gone, by, released } }];
    },

    EndStickerPack: ({ community }, state) => {
      if (state.status !== 'living') return [];
      const { pack, emoji, removed } = state;
      const all = [...removed, ...emoji.map((one) => one.emoji)];
      return chunksOf(all).map((released) => ({ type: 'StickerPackEnded', data: { community, pack, released } }));
    },
  },
};

const chunksOf = (all: readonly FileId[]): readonly (readonly FileId[])[] =>
  Array.from({ length: Math.ceil(all.length / releasedPerEventMax) }, (_, index) =>
    all.slice(index * releasedPerEventMax, (index + 1) * releasedPerEventMax),
  );

type Adding = CommandOf<StickerPackCommand, 'AddStickerToPack'>['data'];

const addSticker = ({ newPack, ...added }: Adding, state: StickerPackState): Decision<StickerPackEvent> => {
  if (state.status === 'ended') return reject('STICKER_PACK_NOT_FOUND');
  const { pack, emoji: all, removed } = state.status === 'living' ? state : emptyPack(newPack);
  const isNamedAlike = isNamed(added.name);
  const same = all.find(({ emoji }) => emoji === added.emoji);
  // Asked twice. Nothing else can be made of an upload than the one emoji.
  if (same !== undefined && isNamedAlike(same)) return [];
  if (same !== undefined || removed.includes(added.emoji)) return reject('INVALID_UPLOAD', 'it is an emoji already');
  if (all.some(isNamedAlike)) return reject('EMOJI_NAME_TAKEN');
  if (all.filter(isShown).length >= emojiMax)
    return reject('TOO_MANY', `a pack has at most ${emojiMax.toString()} emoji`);
  return [{ type: 'EmojiAdded', data: { ...added, pack } }];
};

/** Not that of somebody who was erased: nobody can see or use it, so it takes up neither a place nor its name. */
const isShown = ({ name }: NamedEmoji): boolean => !isShredded(opened(name));

const isNamed = (name: string): ((one: NamedEmoji) => boolean) => {
  const key = emojiNameKeyed(name);
  return (one) => {
    const other = opened(one.name);
    return !isShredded(other) && emojiNameKeyed(other) === key;
  };
};
