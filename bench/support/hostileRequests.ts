import type { ChatRefInit } from '../../src/gen/refs.js';
import type { MessageEntityInit } from '../../src/gen/types.js';
import { encodeRequest } from '../../src/wire/envelope.js';
import type { Channel } from './rawClient.js';
import type { UserId } from '../../src/kernel/ids.js';

/** A request with this id, ready to be put into a frame. Making it may take long: the bytes are made beforehand. */
export type Request = (id: number) => Uint8Array;

export const savedMessages: ChatRefInit = { self: {} };

const markBytes = 2;

/** Marks of two classes in the wrong order, which normalisation has to sort. `bytes` is the size as UTF-8. */
const marks = (bytes: number): string => {
  const each = Math.floor(bytes / markBytes / 2);
  return `a${'\u0301'.repeat(each)}${'\u0316'.repeat(each)}`;
};

/** Before anybody is signed in. */
export const markedAddresses = (bytes: number): readonly Request[] => {
  const email = `${marks(bytes)}@example.org`;
  const password = 'a good password';
  return [
    (id) => encodeRequest(id, 'authSignUp', { email, password, name: 'Mark' }),
    (id) => encodeRequest(id, 'authLegacySignIn', { email, password }),
  ];
};

export type Owner = { readonly id: UserId; readonly channel: Channel };

export const markedNames = (bytes: number, { id: memberId, channel }: Owner): readonly Request[] => {
  const text = marks(bytes);
  const { communityId, channelId } = channel;
  return [
    (id) => encodeRequest(id, 'settingsEditProfile', { name: text }),
    (id) => encodeRequest(id, 'communitiesCreateCommunity', { name: text }),
    (id) => encodeRequest(id, 'communitiesEditMember', { communityId, memberId, nickname: text }),
    (id) => encodeRequest(id, 'communitiesEditChannel', { channel: { communityId, channelId }, description: text }),
  ];
};

const linksPerMessage = 150;
const hostUnits = 2_000;
const ideographsFrom = 0x4e00;
const ideographs = 20_000;
/** Has no divisor in common with their number, so that all of them come. */
const ideographStep = 7_919;

/** Hosts of which no two characters are alike are the slowest to be made ASCII of. */
const host = (salt: number): string =>
  String.fromCharCode(
    ...Array.from({ length: hostUnits }, (_, at) => ideographsFrom + ((salt + at * ideographStep) % ideographs)),
  );

const linkAt = (startIndex: number, url: string): MessageEntityInit => ({ startIndex, length: 1, textUrl: { url } });

const sending = (message: string, entities: readonly MessageEntityInit[]): Request => {
  const request = { chatRef: savedMessages, message, entities };
  return (id) => encodeRequest(id, 'messagesSendMessage', request);
};

export const manyLinks = (): readonly Request[] => [
  sending(
    'x'.repeat(linksPerMessage),
    Array.from({ length: linksPerMessage }, (_, at) => linkAt(at, `http://${host(at)}/`)),
  ),
];

const emptyEntities = 500_000;

export const manyEntities = (): readonly Request[] => [sending('x', new Array<object>(emptyEntities).fill({}))];

const heavyTextUnits = 3_900;
const heavyLinks = 12;
const heavyPathUnits = 2_000;

/** A message that is accepted: about 36 kB. */
export const heavyMessage = (): { readonly message: string; readonly entities: readonly MessageEntityInit[] } => ({
  message: '\u6f22'.repeat(heavyTextUnits),
  entities: Array.from({ length: heavyLinks }, (_, at) => linkAt(at, `http://a.example/${'x'.repeat(heavyPathUnits)}`)),
});
