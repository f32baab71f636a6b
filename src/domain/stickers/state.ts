import type { SnapshotSpec } from '../../kernel/decider.js';
import type { Fold } from '../../kernel/event.js';
import type { FileId, StickerPackId } from '../../kernel/ids.js';
import type { Personal } from '../../kernel/personal.js';
import type { StickerPackEvent } from './events.js';

export type StickerPackState = { readonly status: 'absent' } | { readonly status: 'ended' } | LivingPack;

export type LivingPack = {
  readonly status: 'living';
  readonly pack: StickerPackId;
  /** Those that can be used, the oldest first. */
  readonly emoji: readonly NamedEmoji[];
  /** Those that were removed and are still shown where they were used, the one first that was removed the longest ago. */
  readonly removed: readonly FileId[];
};

export type NamedEmoji = { readonly emoji: FileId; readonly name: Personal<string> };

export const emptyPack = (pack: StickerPackId): LivingPack => ({ status: 'living', pack, emoji: [], removed: [] });

export const initial: StickerPackState = { status: 'absent' };

export const snapshots: SnapshotSpec = { name: 'stickerPackStates', version: 1 };

export const evolve: Fold<StickerPackState, StickerPackEvent> = {
  EmojiAdded: (state, { data: { pack, emoji, name } }) => {
    if (state.status === 'ended') return state;
    const before = state.status === 'living' ? state : emptyPack(pack);
    return { ...before, emoji: [...before.emoji, { emoji, name }] };
  },
  EmojiRemoved: (state, { data: { emoji: gone, released } }) => {
    if (state.status !== 'living') return state;
    const removed = [...state.removed, gone].filter((emoji) => !released.includes(emoji));
    return { ...state, emoji: state.emoji.filter(({ emoji }) => emoji !== gone), removed };
  },
  StickerPackEnded: () => ({ status: 'ended' }),
};
