import type { AttachedFile, MediaMetadata } from '../../domain/messages/events.js';
import type { FileInit, FileMetadataInit } from '../../gen/media.js';

/** Files of all servers are in one place, as far as clients can tell. */
const region = 1;

export const fileFor = ({ file: fileId, bytes, mimetype, name, metadata }: AttachedFile): FileInit => ({
  fileId,
  region,
  size: BigInt(bytes),
  mimetype,
  ...(name !== undefined && { filename: name }),
  metadata: metadata === undefined ? { file: {} } : metadataFor(metadata),
});

const metadataFor = (metadata: MediaMetadata): FileMetadataInit => writers[metadata.kind](metadata);

const writers: Readonly<Record<MediaMetadata['kind'], (metadata: MediaMetadata) => FileMetadataInit>> = {
  image: ({ width, height, preview, animated }) => ({
    image: { width, height, animated, ...(preview !== undefined && { preview: Buffer.from(preview, 'base64url') }) },
  }),
  video: ({ width, height, duration }) => ({ video: { width, height, duration } }),
  audio: ({ duration }) => ({ audio: { duration } }),
  file: () => ({ file: {} }),
  customEmoji: ({ width, height, emoji, pack, animated }) => ({
    customEmoji: { width, height, emoji, animated, ...(pack !== undefined && { pack: { id: pack } }) },
  }),
};
