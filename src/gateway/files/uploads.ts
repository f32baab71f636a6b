import { uploads } from '../../domain/files/decide.js';
import { uploadKey, uploadStream, type UploadName } from '../../domain/files/events.js';
import { uploadLifeMillis } from '../../domain/files/limits.js';
import type { UploadState } from '../../domain/files/state.js';
import { boundedMap } from '../../kernel/boundedMap.js';
import { isRejection, reject, type Rejection } from '../../kernel/decider.js';
import type { FoldedStreams } from '../../kernel/foldedStreams.js';
import type { FileId, Millis } from '../../kernel/ids.js';
import { isShredded, opened } from '../../kernel/opened.js';
import type { PartSeal } from '../../kernel/ports/partSeal.js';
import type { Sealer } from '../../kernel/ports/sealer.js';
import type { Ids } from '../../kernel/ports/system.js';
import { serialQueues } from '../../kernel/serialQueue.js';
import { openUploadCount } from '../../projections/files/queries.js';
import type { Reads } from '../../projections/reading/queries.js';
import type { Call } from '../contract/call.js';

/** Uploads of one user that have begun within the hour and are no file yet. */
export const openUploadsMax = 100;

/** Of which a node remembers how far they are; the others are looked up in the log. */
export const rememberedUploadsMax = 10_000;

/** An upload of which more parts may come. */
export type OpenUpload = {
  readonly file: FileId;
  readonly begunAt: Millis;
  readonly key: Uint8Array;
  /** Of the part that came last to this node. */
  lastVersion: number;
  /** How many parts came to this node, and their bytes, those that were sent again included. */
  partsTaken: number;
  bytesTaken: number;
};

export type UploadNeeds = {
  readonly ids: Pick<Ids, 'next'>;
  readonly reads: Reads;
  readonly seal: Pick<PartSeal, 'newKey'>;
  readonly sealer: Pick<Sealer, 'onForgotten'>;
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
};

export interface Uploads {
  /** Begins the upload where there is none. Refuses one that came to its end. */
  begin(this: void, call: Call, upload: bigint): Promise<OpenUpload | Rejection>;
  /** Refuses with `INVALID_UPLOAD` where there is none of which a file can be made. */
  found(this: void, call: Call, upload: bigint): Promise<OpenUpload | Rejection>;
}

/** An upload belongs to its session, on any connection and any node. Another session may use the same number for another one. */
export const sessionUploads = (needs: UploadNeeds): Uploads => {
  const known = boundedMap<string, OpenUpload>({ entriesMax: rememberedUploadsMax });
  needs.sealer.onForgotten(() => {
    known.clear();
  });
  const order = serialQueues();
  const remembered = (name: UploadName, state: UploadState): OpenUpload | undefined => {
    const open = openIn(state);
    if (open !== undefined) known.set(uploadKey(name), open);
    return open;
  };
  const looked = async (name: UploadName): Promise<UploadState> =>
    (await needs.streams.caughtUp(uploadStream(name), uploads)).state;
  const begin = async (call: Call, name: UploadName): Promise<OpenUpload | Rejection> => {
    const state = await looked(name);
    if (state.status !== 'absent') return remembered(name, state) ?? reject('UPLOAD_ENDED');
    const refused = await refusedToBegin(needs, call, name);
    if (refused !== undefined) return refused;
    return remembered(name, await looked(name)) ?? reject('UPLOAD_ENDED');
  };
  return {
    begin: async (call, upload) => {
      const name = { session: call.caller.session, upload };
      const found =
        known.get(uploadKey(name)) ?? (await order.run(call.caller.user.toString(), () => begin(call, name)));
      if (isRejection(found)) return found;
      return isOver(found, call) ? reject('UPLOAD_ENDED') : found;
    },
    found: async (call, upload) => {
      const name = { session: call.caller.session, upload };
      const found = known.get(uploadKey(name)) ?? remembered(name, await looked(name));
      if (found === undefined) return reject('INVALID_UPLOAD', 'it is unknown, or has expired');
      return isOver(found, call) ? reject('INVALID_UPLOAD', 'it has expired') : found;
    },
  };
};

const isOver = ({ begunAt }: OpenUpload, { now }: Pick<Call, 'now'>): boolean => now - begunAt >= uploadLifeMillis;

const openIn = (state: UploadState): OpenUpload | undefined => {
  if (state.status !== 'open') return undefined;
  const key = opened(state.key);
  if (isShredded(key)) return undefined;
  const { file, at: begunAt } = state;
  return { file, begunAt, key: keyIn(key), lastVersion: 0, partsTaken: 0, bytesTaken: 0 };
};

/** The key of a file as events have it. */
export const keyIn = (text: string): Uint8Array => Buffer.from(text, 'base64url');
export const keyText = (key: Uint8Array): string => Buffer.from(key).toString('base64url');

/** One after the other for each user, so the count has all that began here. */
const refusedToBegin = async (needs: UploadNeeds, call: Call, name: UploadName): Promise<Rejection | undefined> => {
  const { user } = call.caller;
  await call.upToDate('files');
  if ((await openUploadCount(needs.reads, user, openUploadsMax)) >= openUploadsMax) {
    return reject('TOO_MANY', `a user has at most ${openUploadsMax.toString()} uploads that are no file yet`);
  }
  const file = needs.ids.next() as FileId;
  const data = { ...name, user, file, at: call.now, key: keyText(needs.seal.newKey()) };
  const begun = await call.run(uploads, { type: 'BeginUpload', data });
  return isRejection(begun) ? begun : undefined;
};
