import { accountEvents, accountStream, accountStreams } from '../../domain/accounts/events.js';
import { communityStream, communityStreams } from '../../domain/communities/events.js';
import { memberStream, memberStreams } from '../../domain/members/events.js';
import { attachesMedia } from '../../domain/messages/attached.js';
import { beginsMessage, type BegunMessage } from '../../domain/messages/events.js';
import { byKind, parseChatKey, type ChatOf } from '../../kernel/chat.js';
import { readEvent } from '../../kernel/codec.js';
import { beforeAll, type Position, type Recorded } from '../../kernel/event.js';
import type { Millis } from '../../kernel/ids.js';
import { has } from '../../kernel/permissions.js';
import type { EventLog, StoredEvent } from '../../kernel/ports/eventLog.js';
import type { Reason } from '../../kernel/reasons.js';
import { communityDocuments, communityKey } from '../../projections/communities/fold.js';
import { memberDocuments, memberKey } from '../../projections/members/fold.js';
import { rulesOfCommunity } from '../access/communityPermissions.js';
import type { DecidedMessage, MessageJudge } from '../contract/messageJudge.js';
import { documentUpTo, TooManyEvents, type DocumentAsOfNeeds } from './documentAsOf.js';

export type MessageJudgeNeeds = DocumentAsOfNeeds & { readonly log: Pick<EventLog, 'readAll'> };

/** The judge, and the ear of the fan-out that spares it nearly all reads of the log. */
export type FollowingJudge = MessageJudge & {
  /** In log order, each event that the fan-out has passed. */
  readonly passed: (stored: StoredEvent) => void;
};

export const decidedMessage = ({ data, position, at, metadata }: Recorded<BegunMessage>): DecidedMessage => ({
  chat: data.chat,
  author: data.author,
  position,
  at,
  attaches: attachesMedia(data),
  metadata,
});

/** Streams and authors in slow mode of which the last change is remembered. */
export const changesMax = 10_000;
/** Mostly there is nothing between the decision and the message. */
const eventsFirstRead = 16;
const eventsPerReadMax = 500;

export const messageJudge = (needs: MessageJudgeNeeds): FollowingJudge => {
  const changes = latestChanges();
  return {
    passed: (stored) => {
      const name = changedBy(needs, stored);
      changes.passed(stored.position, name);
    },
    refusalOf: (message) => {
      const asOf = positionIn(message.metadata.asOf);
      return byKind<Promise<Reason | undefined> | undefined>(parseChatKey(message.chat), {
        channel: (place) => {
          if (asOf === undefined) return undefined;
          const dependsOn = namesOf(message, place);
          return changes.isUnchangedBetween(asOf, message.position, dependsOn)
            ? undefined
            : judged(needs, message, place);
        },
        // Nothing takes away what the two sides may do.
        direct: () => undefined,
        self: () => undefined,
        group: () => undefined,
      });
    },
  };
};

// Metadata is not checked against a schema when it is read.
const positionIn = (text: string | undefined): Position | undefined =>
  text !== undefined && /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;

type Place = ChatOf<'channel'>;

const slowName = (chat: string, author: string): string => `slow ${chat} ${author}`;

const namesOf = ({ chat, author, metadata }: DecidedMessage, { community }: Place): readonly string[] => [
  communityStream(community),
  memberStream(community, author),
  accountStream(author),
  ...(metadata.slowmode === undefined ? [] : [slowName(chat, author.toString())]),
];

const families = [communityStreams, memberStreams, accountStreams] as const;

/** The name of a thing that messages depend on and this event changes. */
const changedBy = ({ codec }: Pick<MessageJudgeNeeds, 'codec'>, stored: StoredEvent): string | undefined => {
  if (families.some((family) => family.keyOf(stored.stream) !== undefined)) return stored.stream;
  if (!beginsMessage(codec.factOf(stored))) return undefined;
  const { about, actor, slowmode } = codec.metadata(stored);
  return slowmode === undefined || actor === undefined ? undefined : slowName(about, actor);
};

/** The last change of a name, and the one before it. */
type Change = { readonly at: Position; readonly before: Position };

/** When each name changed last, as far back as is remembered. */
const latestChanges = () => {
  // A Map keeps the order of insertion: the first is the one that changed longest ago.
  const changes = new Map<string, Change>();
  /** Changes before this place are not known. */
  let knownFrom: Position | undefined;
  return {
    passed: (position: Position, name: string | undefined): void => {
      knownFrom ??= position;
      if (name === undefined) return;
      const before = changes.get(name)?.at ?? beforeAll;
      changes.delete(name);
      changes.set(name, { at: position, before });
      const [oldest] = changes;
      if (changes.size <= changesMax || oldest === undefined) return;
      changes.delete(oldest[0]);
      knownFrom = oldest[1].at;
    },
    isUnchangedBetween: (asOf: Position, place: Position, names: readonly string[]): boolean => {
      if (knownFrom === undefined || asOf < knownFrom) return false;
      return names.every((name) => {
        const { at, before } = changes.get(name) ?? { at: beforeAll, before: beforeAll };
        // A message in slow mode is the last change of its own name, once the fan-out has passed it.
        return (at === place ? before : at) <= asOf;
      });
    },
  };
};

// One that can never be judged must not keep the fan-out from all that comes after it, so it stands.
const unlessTooMany = (error: unknown): undefined => {
  if (error instanceof TooManyEvents) return undefined;
  throw error;
};

const judged = async (needs: MessageJudgeNeeds, message: DecidedMessage, place: Place): Promise<Reason | undefined> => {
  const { refusal, isChanged } = await meanwhile(needs, message, place);
  if (refusal !== undefined || !isChanged) return refusal;
  return refusedBy(needs, message, place).catch(unlessTooMany);
};

/** By the rights right before the message. */
const refusedBy = async (
  needs: MessageJudgeNeeds,
  { author, position, attaches }: DecidedMessage,
  { community: id, channel }: Place,
): Promise<Reason | undefined> => {
  const upTo = documentUpTo(needs, position);
  const [community, member] = await Promise.all([
    upTo(communityDocuments, communityKey(id)),
    upTo(memberDocuments, memberKey(id, author)),
  ]);
  if (community === undefined || member === undefined) return 'CHAT_NOT_FOUND';
  const membership = { community: id, roles: member.roles, joined: 0n };
  const permissions = rulesOfCommunity(community).inChannel(channel, membership, author);
  if (permissions === 0n) return 'CHAT_NOT_FOUND';
  const maySend = has(permissions, 'sendMessages') && (!attaches || has(permissions, 'sendMedia'));
  return maySend ? undefined : 'MISSING_PERMISSION';
};

type Meanwhile = {
  readonly refusal?: Reason;
  /** Whether the streams of the rights were written, so that they have to be folded. Reading them costs far more. */
  readonly isChanged: boolean;
};

/** By what else happened between the decision and the message. */
const meanwhile = async (needs: MessageJudgeNeeds, message: DecidedMessage, place: Place): Promise<Meanwhile> => {
  const rights: readonly string[] = [communityStream(place.community), memberStream(place.community, message.author)];
  let from = positionIn(message.metadata.asOf) ?? message.position;
  let isChanged = false;
  for (let limit = eventsFirstRead; ; limit = eventsPerReadMax) {
    const page = await needs.log.readAll({ from, limit });
    const between = page.filter(({ position }) => position < message.position);
    for (const stored of between) {
      const refusal = isInSlowmode(needs, message, stored) ? 'SLOWMODE' : await revokedBy(needs, message, stored);
      if (refusal !== undefined) return { refusal, isChanged };
      isChanged ||= rights.includes(stored.stream);
    }
    const last = between.at(-1);
    if (last === undefined || between.length < limit) return { isChanged };
    from = last.position;
  }
};

const isInSlowmode = (
  { codec }: Pick<MessageJudgeNeeds, 'codec'>,
  message: DecidedMessage,
  stored: StoredEvent,
): boolean => {
  const { chat, author, at, metadata } = message;
  if (metadata.slowmode === undefined || changedBy({ codec }, stored) !== slowName(chat, author.toString()))
    return false;
  return at - stored.at < slowmodeMillis(metadata.slowmode);
};

const slowmodeMillis = (seconds: string): Millis => (Number(seconds) * 1000) as Millis;

const revokedBy = async (
  { codec, sealer }: MessageJudgeNeeds,
  { author, metadata }: DecidedMessage,
  stored: StoredEvent,
): Promise<Reason | undefined> => {
  const isRevocation = codec.factOf(stored) === accountEvents.SessionRevoked.type;
  if (!isRevocation || stored.stream !== accountStream(author)) return undefined;
  const event = await readEvent(codec, sealer, stored);
  // The type says which event it is.
  const { session } = event?.data as { readonly session: bigint };
  return session.toString() === metadata.session ? 'NOT_AUTHORIZED' : undefined;
};
