import { randomInt } from 'node:crypto';
import { ChannelType, UserStatusActivityType, UserStatusStatus } from '../../src/gen/types.js';
import { initialize, rawClient } from '../gateway/rig/rawClient.js';
import { channelNamed, found as community, inChannel, join, savedMessages, say, withUser } from './places.js';
import { resume, signIn, signUpWith, type Seat } from './seat.js';

/** Known texts, each written once or more, and nowhere but in requests. */
export interface Secrets {
  /** 24 letters. */
  readonly letters: () => string;
  /** 12 ideographs. */
  readonly ideographs: () => string;
  readonly all: readonly string[];
}

export const secrets = (): Secrets => {
  const all: string[] = [];
  const made = (length: number, first: number, kinds: number): string => {
    const text = String.fromCharCode(...Array.from({ length }, () => first + randomInt(kinds)));
    all.push(text);
    return text;
  };
  return { all, letters: () => made(24, 0x61, 26), ideographs: () => made(12, 0x4e00, 0x5000) };
};

export type Written = {
  readonly author: Seat;
  readonly reader: Seat;
  readonly place: ReturnType<typeof inChannel>;
  /** What each of them wrote last there. */
  readonly texts: Readonly<Record<'author' | 'reader', string>>;
};

/** Writes a hundred known texts through every request that takes any. */
export const writeAll = async (url: string, known: Secrets): Promise<Written> => {
  const [author, reader] = [await newcomer(url, known), await newcomer(url, known)];
  const name = known.ideographs();
  const town = await community(author, name);
  await join(author, town, reader);
  const place = inChannel(town.community, town.general);
  await writeCommunity(author, reader, known, town.community);
  for (const seat of [author, reader]) {
    await writeProfile(seat, known, town.community);
    for (const chatRef of [place, savedMessages, withUser(seat === author ? reader : author)]) {
      await writeMessages(seat, known, chatRef);
    }
    await writeFiles(seat, known, place);
  }
  const texts = { author: known.letters(), reader: known.ideographs() };
  await say(author, place, texts.author);
  await say(reader, place, texts.reader);
  return { author, reader, place, texts };
};

/** Under a device of its own, and back under another. */
const newcomer = async (url: string, known: Secrets): Promise<Seat> => {
  const credentials = { email: `${known.letters()}@example.org`, password: known.letters() };
  const seat = await signUpWith(url, known.ideographs(), credentials);
  await signIn(url, credentials);
  const raw = await rawClient(url);
  const device = { deviceType: known.letters(), deviceVersion: known.letters(), appVersion: known.letters() };
  raw.ask(1, 'coreInitialize', { ...initialize, ...device });
  raw.ask(2, 'authAuthorize', { token: seat.token });
  await raw.result(2);
  await seat.ask('authLegacySignIn', { email: `${known.letters()}@example.org`, password: known.letters() });
  return resume(url, seat.token);
};

const writeCommunity = async (
  author: Seat,
  reader: Seat,
  known: Secrets,
  communityId: Parameters<typeof channelNamed>[1],
): Promise<void> => {
  for (const text of [known.letters(), known.ideographs(), known.letters(), known.ideographs()]) {
    await author.do('communitiesCreateChannel', {
      communityId,
      name: text,
      type: ChannelType.TEXT,
      preferredRegion: known.letters(),
    });
    const channel = { communityId, channelId: await channelNamed(author, communityId, text) };
    await author.do('communitiesEditChannel', { channel, name: known.ideographs(), description: known.letters() });
    await author.do('communitiesCreateRole', { communityId, name: known.letters(), priority: 1 });
    const { roles } = await author.do('communitiesGetRoles', { communityId });
    const [role] = roles;
    if (role !== undefined) await author.do('communitiesEditRole', { ...role, communityId, name: known.letters() });
  }
  await author.do('communitiesEditMember', { communityId, memberId: reader.user, nickname: known.ideographs() });
};

const writeProfile = async (
  seat: Seat,
  known: Secrets,
  communityId: Parameters<typeof channelNamed>[1],
): Promise<void> => {
  await seat.do('settingsEditProfile', { name: known.ideographs(), username: known.letters(), bio: known.letters() });
  await seat.do('communitiesEditMember', { communityId, memberId: seat.user, nickname: known.letters() });
  await seat.ask('usersLookupUsername', { username: known.letters() });
  const activity = { title: known.letters(), type: UserStatusActivityType.PLAYING, startTime: 1n };
  const { ONLINE: status } = UserStatusStatus;
  await seat.do('settingsChangeStatus', { status, activities: [{ ...activity, state: known.ideographs() }] });
};

/** One that stays, one that is replaced, and one that becomes no file. */
const writeFiles = async (seat: Seat, known: Secrets, chatRef: Parameters<typeof say>[1]): Promise<void> => {
  const media = async () => {
    const id = BigInt(randomInt(2 ** 47));
    const data = Buffer.from(`${known.letters()} ${known.ideographs()}`);
    await seat.do('mediaUploadFilePart', { uploadId: id, part: 0, data });
    const metadata = { customEmoji: { emoji: known.letters() } };
    return [
      { uploaded: { file: { id, name: known.letters(), partCount: 1 }, filename: known.ideographs(), metadata } },
    ];
  };
  const { messageId } = await seat.do('messagesSendMessage', { chatRef, media: await media() });
  await seat.do('messagesEditMessage', { chatRef, messageId, media: await media() });
  await media();
};

const writeMessages = async (seat: Seat, known: Secrets, chatRef: Parameters<typeof say>[1]): Promise<void> => {
  const text = `${known.letters()} ${known.ideographs()}`;
  const entities = [
    { startIndex: 0, length: 4, textUrl: { url: `https://${known.letters()}.example/` } },
    { startIndex: 4, length: 4, pre: { language: known.letters() } },
  ];
  const { messageId } = await seat.do('messagesSendMessage', { chatRef, message: text, entities, clientId: 7n });
  const quote = { message: text.slice(0, 24), entities: [] };
  const answer = await seat.do('messagesSendMessage', {
    chatRef,
    message: known.ideographs(),
    replyTo: { messageId, quote },
    clientId: 8n,
  });
  await seat.do('messagesEditMessage', { chatRef, messageId: answer.messageId, message: known.letters() });
  await seat.do('messagesReportMessage', { chatRef, messageId, reason: known.letters() });
  await seat.do('messagesDeleteMessage', { chatRef, messageIds: [await say(seat, chatRef, known.letters())] });
  await seat.ask('messagesSendMessage', { chatRef: withUser({ user: 1n as Seat['user'] }), message: known.letters() });
};
