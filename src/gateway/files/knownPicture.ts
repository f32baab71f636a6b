import { files } from '../../domain/files/decide.js';
import { fileStream } from '../../domain/files/events.js';
import { isRejection, reject, type Rejection } from '../../kernel/decider.js';
import type { FoldedStreams } from '../../kernel/foldedStreams.js';
import type { FileId } from '../../kernel/ids.js';
import { unless } from '../../kernel/opened.js';
import type { Call } from '../contract/call.js';
import type { Holders } from './holders.js';

/** All that a use of the picture keeps; `key` and `thumb` in base64url. */
export type KnownPicture = {
  readonly file: FileId;
  readonly key: string;
  readonly bytes: number;
  readonly mimetype: string;
  readonly thumb: string;
};

export type KnownPictureNeeds = {
  readonly holders: Holders;
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
};

/** From here on the file is kept for long enough for the use to come, even if all others give it up. */
export const knownPicture = async (
  { holders, streams }: KnownPictureNeeds,
  call: Call,
  file: FileId,
): Promise<KnownPicture | Rejection> => {
  const key = (await holders.photo(call, file))?.key ?? (await holders.seenBy(call, file))?.key;
  if (key === undefined) return reject('FILE_NOT_FOUND');
  const { state } = await streams.caughtUp(fileStream(file), files);
  if (state.status !== 'made') return reject('FILE_NOT_FOUND');
  const picture = state.picture && unless(state.picture, undefined);
  if (picture === undefined) return reject('INVALID_PICTURE', 'the file is none');
  const used = await call.run(files, { type: 'UseFile', data: { file, at: call.now } });
  if (isRejection(used)) return used;
  return { file, key, bytes: state.bytes, mimetype: picture.type, thumb: picture.thumb };
};
