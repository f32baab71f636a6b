import { fileSweepOf } from '../../../src/container/files.js';
import type { DownloadFilePart, MediaRefInit } from '../../../src/gen/media.js';
import type { ChatRefInit } from '../../../src/gen/refs.js';
import type { FileId, MessageId } from '../../../src/kernel/ids.js';
import type { Blobs } from '../../../src/kernel/ports/blobs.js';
import type { Answer } from '../../support/house/seat.js';
import type { House } from '../../support/house/house.js';
import type { Node, Who } from '../../support/house/node.js';

export const minuteMillis = 60_000;
export const hourMillis = 60 * minuteMillis;

/** Different in every place, so that bytes of another place are noticed. */
export const bytesOf = (length: number, first = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (first + at * 7 + (at >> 8)) % 256);

let uploads = 100n;
export const freshUpload = (): bigint => (uploads += 1n);

/** Parts of these bytes, one after the other. */
export const upload = async (node: Node, who: Who, ...parts: readonly Uint8Array[]): Promise<bigint> => {
  const uploadId = freshUpload();
  for (const [part, data] of parts.entries()) await node.must(who, 'mediaUploadFilePart', { uploadId, part, data });
  return uploadId;
};

export const refTo = (id: bigint, partCount = 1, more: MediaRefInit['uploaded'] = {}): MediaRefInit => ({
  uploaded: { file: { id, name: 'a.bin', partCount }, ...more },
});

type Holding = { readonly messageId: MessageId; readonly files: readonly FileId[] };

/** A message with these attached, as its author then finds it. */
export const attach = async (
  node: Node,
  who: Who,
  chatRef: ChatRefInit,
  media: readonly MediaRefInit[],
): Promise<Holding> => {
  const messageId = await node.send(who, { chatRef, media });
  return { messageId, files: await filesOf(node, who, chatRef, messageId) };
};

export const filesOf = async (
  node: Node,
  who: Who,
  chatRef: ChatRefInit,
  messageId: MessageId,
): Promise<readonly FileId[]> => {
  const { messages } = await node.must(who, 'messagesGetHistory', { chatRef, around: messageId, limit: 1 });
  const message = messages.messages.find((one) => one.messageId === messageId);
  return (message?.media ?? []).flatMap(({ file }) => file?.file?.fileId ?? []);
};

/** A file of these parts in a message of its own. */
export const sentFile = async (
  node: Node,
  who: Who,
  chatRef: ChatRefInit,
  ...parts: readonly Uint8Array[]
): Promise<Holding & { readonly file: FileId }> => {
  const id = await upload(node, who, ...parts);
  const held = await attach(node, who, chatRef, [refTo(id, parts.length)]);
  const [file] = held.files;
  if (file === undefined) throw new Error('nothing was attached');
  return { ...held, file };
};

export const download = (
  node: Node,
  who: Who,
  fileId: FileId,
  { offset = 0n, length = 1_048_576 }: Partial<Pick<DownloadFilePart, 'offset' | 'length'>> = {},
): Promise<Answer<'mediaDownloadFilePart'>> =>
  node.ask(who, 'mediaDownloadFilePart', { fileRef: { mediaFile: { fileId } }, offset, length });

/** All of it, asked for as clients do; or why not. */
export const whole = async (node: Node, who: Who, file: FileId): Promise<string | Buffer> => {
  let found = Buffer.alloc(0);
  for (;;) {
    const answer = await download(node, who, file, { offset: BigInt(found.length) });
    if ('rejected' in answer) return answer.rejected;
    if (answer.filePart.data.length === 0) return found;
    found = Buffer.concat([found, answer.filePart.data]);
  }
};

/** Looks for files that nothing uses, as one node does every few minutes. */
export const sweep = async (here: House, node: Node): Promise<void> => {
  const { first } = await fileSweepOf(node.get).look(new AbortController().signal);
  if (first !== undefined) throw new Error('something was left', { cause: first });
  await here.settled();
};

export const storedNames = async (blobs: Blobs): Promise<readonly string[]> => {
  const names: string[] = [];
  for (;;) {
    const page = await blobs.list('', { limit: 1_000, after: names.at(-1) ?? '' });
    if (page.length === 0) return names;
    names.push(...page.map(({ name }) => name));
  }
};
