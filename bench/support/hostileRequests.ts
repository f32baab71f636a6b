import { inboundBytesMax, signedOutInboundBytesMax } from '../../src/gateway/sockets/connection.js';
import { rpcPolicy } from '../../src/gateway/contract/rpcPolicy.js';
import { rpcTable, type AnyRpc, type RpcName, type Rpcs } from '../../src/gen/rpcs.js';
import type { ChatRefInit } from '../../src/gen/refs.js';
import { UserStatusStatus, type MessageEntityInit } from '../../src/gen/types.js';
import type { MessageId, UserId } from '../../src/kernel/ids.js';
import { encodeRequest } from '../../src/wire/envelope.js';
import {
  envelopeBytesMax,
  hostileTexts,
  ideographicHost,
  requestWith,
  textFields,
  type TextField,
} from '../../test/support/attacks/hostileTexts.js';
import { bytes, message, number } from '../../test/system/bytes.js';
import { protocolRoot } from '../../test/wire/definitions.js';
import type { Channel } from './rawClient.js';

/** A request with this id, ready to be put into a frame. Making it may take long: the bytes are made beforehand. */
export type Request = (id: number) => Uint8Array;

/** The attacker's own, which requests are about. */
export type Target = {
  readonly memberId: UserId | undefined;
  readonly channel: Channel | undefined;
  readonly messageId: MessageId | undefined;
};

export const savedMessages: ChatRefInit = { self: {} };

const asking = <Name extends RpcName>(name: Name, request: Rpcs[Name]['requestInit']): Request => {
  return (id) => encodeRequest(id, name, request);
};

/** The fields that name what a request is about, so that it is looked into and not only looked up. */
const soundRequest = (
  { request }: AnyRpc,
  { memberId, channel, messageId }: Target,
): Readonly<Record<string, unknown>> => {
  const { communityId, channelId } = channel ?? {};
  const known = { communityId, channelId, memberId, messageId, userId: memberId, roleId: 0n };
  const values = { ...known, chatRef: savedMessages, channel: { communityId, channelId }, message: 'x' };
  const fields = protocolRoot().lookupType(request.typeName).fields;
  return Object.fromEntries(
    Object.entries(values).filter(([name, value]) => value !== undefined && fields[name]?.repeated === false),
  );
};

/** Each text of each RPC that fits, as long as a frame. */
const longTexts = (target: Target, of: (bytes: number) => string, fits: (field: TextField) => boolean): Request[] => {
  const frameBytes = target.memberId === undefined ? signedOutInboundBytesMax : inboundBytesMax;
  const text = of(frameBytes - envelopeBytesMax);
  return textFields()
    .filter(fits)
    .map((field) => asking(field.rpc.name, requestWith(field, text, soundRequest(field.rpc, target))));
};

const anywhere = (): boolean => true;
const isOpen = ({ rpc }: TextField): boolean => rpcPolicy[rpc.name].session === 'open';

const linkAt = (startIndex: number, url: string): MessageEntityInit => ({ startIndex, length: 1, textUrl: { url } });
const linksMax = 200;
const linked = (urlOf: (at: number) => string) => ({
  chatRef: savedMessages,
  message: 'x'.repeat(linksMax),
  entities: Array.from({ length: linksMax }, (_, at) => linkAt(at, urlOf(at))),
});

const longHostUnits = 2_000;
/** All links together are nearly as large as a message may be. */
const shortHostUnits = 30;
const nonces = 500;
const emptyEntities = 600_000;
const pathUnits = 80;
const statuses = [UserStatusStatus.ONLINE, UserStatusStatus.IDLE, UserStatusStatus.INVISIBLE];
const activitiesMax = 5;
const activityUnits = 128;
const positions = [0, 499];
const noRpc = 999;
/** They would take away what the other kinds are about. */
const ending: readonly RpcName[] = [
  'communitiesDeleteCommunity',
  'communitiesLeaveCommunity',
  'communitiesDeleteChannel',
];
/** Each opens another session, and the kinds behind it would be asked by that one. */
const opening: readonly RpcName[] = ['authSignUp', 'authAuthorize', 'authLegacySignIn'];

const placeOf = ({ channel }: Target) => ({ communityId: channel?.communityId, channelId: channel?.channelId });

/** What is repeated in a flood, by its name. */
export const requestLists = {
  /** Before anybody is signed in. */
  openTexts: (target) => Object.values(hostileTexts).flatMap((of) => longTexts(target, of, isOpen)),
  marks: (target) => longTexts(target, hostileTexts.marks, anywhere),
  hosts: (target) => longTexts(target, hostileTexts.hosts, anywhere),
  links: () => [
    asking(
      'messagesSendMessage',
      linked((at) => `http://${ideographicHost(longHostUnits, at)}/`),
    ),
  ],
  parsedLinks: () => [
    asking(
      'messagesSendMessage',
      linked((at) => `http://${ideographicHost(shortHostUnits, at)}/`),
    ),
  ],
  nonces: () =>
    Array.from({ length: nonces }, (_, at) =>
      asking('messagesSendMessage', {
        ...linked(() => `http://a.example/${'x'.repeat(pathUnits)}`),
        clientId: BigInt(at + 1),
      }),
    ),
  entities: () => [
    asking('messagesSendMessage', {
      chatRef: savedMessages,
      message: 'x',
      entities: new Array<MessageEntityInit>(emptyEntities).fill({}),
    }),
  ],
  channels: (target) => [asking('communitiesGetChannels', { communityId: target.channel?.communityId })],
  communities: () => [asking('communitiesGetCommunities', {})],
  history: () => [asking('messagesGetHistory', { chatRef: savedMessages, limit: 100 })],
  everyKind: (target) =>
    (Object.values(rpcTable) as readonly AnyRpc[])
      .filter(({ name }) => ![...ending, ...opening].includes(name))
      .map((rpc) => asking(rpc.name, soundRequest(rpc, target))),
  initialize: () => [asking('coreInitialize', { clientId: 1, deviceType: 'bench' })],
  unauthorized: () => [asking('chatsGetChats', {})],
  malformed: () => [(id) => message(number(1, id), bytes(rpcTable.chatsGetChats.number, Uint8Array.of(0x08)))],
  broken: () => [(id) => message(number(1, id), Uint8Array.of(0x12, 0xff))],
  unknown: () => [(id) => message(number(1, id), bytes(noRpc, message()))],
  status: () =>
    statuses.map((status) =>
      asking('settingsChangeStatus', {
        status,
        activities: Array.from({ length: activitiesMax }, () => ({ title: 'x'.repeat(activityUnits) })),
      }),
    ),
  arranging: (target) =>
    positions.map((position) => asking('communitiesEditChannel', { channel: placeOf(target), position })),
  signIn: () => [asking('authLegacySignIn', { email: 'somebody@example.org', password: 'a wrong password' })],
  authorize: () => [asking('authAuthorize', { token: 'x'.repeat(43) })],
} as const satisfies Readonly<Record<string, (target: Target) => readonly Request[]>>;

export type ListName = keyof typeof requestLists;

const heavyTextUnits = 3_900;
const heavyLinks = 12;
const heavyPathUnits = 2_000;

/** A message that is accepted: about 36 kB. */
export const heavyMessage = (): { readonly message: string; readonly entities: readonly MessageEntityInit[] } => ({
  message: '\u6f22'.repeat(heavyTextUnits),
  entities: Array.from({ length: heavyLinks }, (_, at) => linkAt(at, `http://a.example/${'x'.repeat(heavyPathUnits)}`)),
});
