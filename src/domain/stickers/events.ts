import { declareEvents, type EventsOf } from '../../kernel/declareEvents.js';
import type { CommunityId, FileId, StickerPackId, UserId } from '../../kernel/ids.js';
import { count, flag, id, list, text } from '../../kernel/schema.js';
import { communityScope } from '../../kernel/scopes.js';
import { streamFamily } from '../../kernel/streams.js';
import { nobody } from '../../kernel/topics.js';

const emoji = id<FileId>('emoji');
const user = id<UserId>('user');
const inPack = { community: id<CommunityId>('community'), pack: id<StickerPackId>('sticker pack') };

export const stickerPackStreams = streamFamily('stickerPack');
export const stickerPackStream = (community: CommunityId): string => stickerPackStreams.named(community.toString());

type OfPack = { readonly community: CommunityId; readonly uploader?: UserId };
const stream = (data: OfPack): string => stickerPackStream(data.community);
// The protocol has no update of packs.
const about = (): string => nobody;
// The picture is the uploader's, as each of their files is: their erasure erases it, and the name with it.
const sealedFor = ({ community, uploader }: OfPack) => ({
  ...(uploader !== undefined && { subject: uploader }),
  scope: communityScope(community),
});

/** Streams: `stickerPack-<community>`: the one pack that a community has, of emoji. No client is told of any of them. */
export const stickerPackEvents = declareEvents(
  'stickers',
  { stream, about, sealedFor },
  {
    EmojiAdded: {
      says: 'An emoji was added to the pack of its community, which the first one makes. Its id is that of the file with its picture, which it uses; `key` opens the bytes of that, in base64url. Width and height are in pixels, 0 where they are not known.',
      mints: { field: 'pack' },
      fields: { ...inPack, emoji, uploader: user, bytes: count, width: count, height: count, animated: flag },
      personal: { name: text, key: text, mimetype: text },
    },
    EmojiRemoved: {
      says: 'An emoji was taken out of its pack: nobody can use it any more, and where it was used it is still shown. `released` are emoji that were removed the longest ago, whose files the pack uses no more.',
      fields: { ...inPack, emoji, by: user, released: list(emoji) },
    },
    StickerPackEnded: {
      says: 'The community of the pack is gone. `released` are emoji that were in the pack, or had been: it uses their files no more. More of them than fit into one event are in further ones.',
      fields: { ...inPack, released: list(emoji) },
    },
  },
);
export type StickerPackEvent = EventsOf<typeof stickerPackEvents>;
