import assert from 'node:assert/strict';
import { connectInFolder } from '../../../src/adapters/dataFolder/adminSocket.js';
import { askDoor } from '../../../src/admin/doorClient.js';
import type { ChatRefInit } from '../../../src/gen/refs.js';
import type { Message, MessageEntityInit } from '../../../src/gen/types.js';
import type { CommunityId, MessageId, RoleId, UserId } from '../../../src/kernel/ids.js';
import { permission } from '../../../src/kernel/permissions.js';
import type { TestServer } from '../../support/server.js';
import { createRole, found, inChannel, join, type Town } from '../../system/places.js';
import { resume, type Seat } from '../../system/seat.js';

/** A bot in a community of its own, where it may do everything. */
export type Room = {
  readonly bot: UserId;
  readonly token: string;
  readonly town: Town;
  readonly community: CommunityId;
  readonly chatRef: ChatRefInit;
  readonly role: RoleId;
};

/** As an operator makes one. */
const madeBot = async (server: TestServer, owner: Seat, name: string): Promise<string> => {
  const socket = await connectInFolder(server.dataDir);
  assert.ok(socket !== undefined, 'the server has no door');
  const request = { verb: 'bot create', arguments: { name, owner: owner.user.toString(), json: true } };
  const call = { progress: () => undefined, signal: new AbortController().signal };
  const outcome = await askDoor(socket, request, call);
  assert.equal(outcome.status, 'done', outcome.text);
  return (JSON.parse(outcome.text) as { readonly token: string }).token; // As `bot create` prints it.
};

export const roomFor = async (server: TestServer, owner: Seat, name: string): Promise<Room> => {
  const town = await found(owner, name);
  const token = await madeBot(server, owner, name);
  const seat = await resume(server.url, token, { noSubscribe: true });
  await join(owner, town, seat);
  await seat.raw.leave();
  const all = { name: 'Bots', permissions: permission.administrator, priority: 10 };
  const role = await createRole(owner, town.community, all);
  const member = { communityId: town.community, memberId: seat.user };
  await owner.do('communitiesEditMember', { ...member, roleIds: { roleIds: [role] } });
  const chatRef = inChannel(town.community, town.general);
  return { bot: seat.user, token, town, community: town.community, chatRef, role };
};

let uploads = 0n;

/** Under an id that names the upload where a file is wanted. */
export const uploaded = async (seat: Seat, name: string, data: Uint8Array) => {
  uploads += 1n;
  await seat.do('mediaUploadFilePart', { uploadId: uploads, part: 0, data });
  return { id: uploads, name, partCount: 1 };
};

export type Told = {
  readonly entities?: readonly MessageEntityInit[];
  readonly file?: { readonly name: string; readonly data: Uint8Array };
};

export const tell = async (
  seat: Seat,
  chatRef: ChatRefInit,
  message: string,
  { entities = [], file }: Told = {},
): Promise<MessageId> => {
  const uploadedFile = file === undefined ? undefined : await uploaded(seat, file.name, file.data);
  const media =
    uploadedFile === undefined
      ? []
      : [{ uploaded: { file: uploadedFile, filename: uploadedFile.name, mimetype: 'text/plain' } }];
  return (await seat.do('messagesSendMessage', { chatRef, message, entities, media })).messageId;
};

/** The first message of this author after that one. One node gives ids in the order of the messages. */
export const messageAfter = async (seat: Seat, author: UserId, after: MessageId): Promise<Message> => {
  const { messageCreated } = await seat.update(({ messageCreated: created }) => {
    const { authorId = 0n, messageId = 0n } = created?.message ?? {};
    return authorId === author && messageId > after;
  });
  assert.ok(messageCreated?.message !== undefined);
  return messageCreated.message;
};
