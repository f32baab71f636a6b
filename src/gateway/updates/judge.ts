import { accountEvents, accountStream, accountStreams } from '../../domain/accounts/events.js';
import { communityStream, communityStreams, type CommunityEvent } from '../../domain/communities/events.js';
import { memberStream, memberStreams, type MemberEvent } from '../../domain/members/events.js';
import { rightsTaken } from '../../domain/messages/attached.js';
import { beginsMessage, type BegunMessage, type MessageEvent } from '../../domain/messages/events.js';
import type { ReactionEvent } from '../../domain/reactions/events.js';
import { byKind, parseChatKey, type ChatOf } from '../../kernel/chat.js';
import { boundedMap } from '../../kernel/boundedMap.js';
import { readEvent } from '../../kernel/codec.js';
import { beforeAll, numberInMetadata, type EventOf, type Position, type Recorded } from '../../kernel/event.js';
import type { Millis } from '../../kernel/ids.js';
import { permission } from '../../kernel/permissions.js';
import type { EventLog, StoredEvent } from '../../kernel/ports/eventLog.js';
import type { Reason } from '../../kernel/reasons.js';
import type { CommunityDocument } from '../../projections/communities/documents.js';
import { communityDocuments, communityKey } from '../../projections/communities/fold.js';
import type { MemberDocument } from '../../projections/members/documents.js';
import { memberDocuments, memberKey } from '../../projections/members/fold.js';
import { rulesOfCommunity } from '../access/communityPermissions.js';
import type { DecidedAct, ActJudge } from '../contract/judge.js';
import { documentsUpTo, TooManyEvents, type DocumentAsOfNeeds } from './documentAsOf.js';

export type ActJudgeNeeds = DocumentAsOfNeeds & { readonly log: Pick<EventLog, 'readAll'> };

/** The judge, and the ear of the fan-out that spares it nearly all reads of the log. */
export type FollowingJudge = ActJudge & {
  /** In log order, each event that the fan-out has passed. */
  readonly passed: (stored: StoredEvent) => void;
};

type Judged = BegunMessage | EventOf<MessageEvent, 'MessageEdited'> | EventOf<ReactionEvent, JudgedReaction>;
type JudgedReaction = 'ReactionAdded' | 'CustomReactionAdded';

type Act = Pick<DecidedAct, 'chat' | 'actor' | 'needs'>;

const begun = ({ data }: Recorded<BegunMessage>): Act => ({
  chat: data.chat,
  actor: data.author,
  needs: rightsTaken(data),
});

const reacted = ({ data: { chat, user } }: Recorded<EventOf<ReactionEvent, JudgedReaction>>): Act => ({
  chat,
  actor: user,
  needs: permission.addReactions,
});

const acts: { readonly [Type in Judged['type']]: (event: Recorded<EventOf<Judged, Type>>) => Act } = {
  MessageSent: begun,
  MessageForwarded: begun,
  MessageEdited: ({ data: { chat, author }, metadata }) => ({
    chat,
    actor: author,
    needs: numberInMetadata(metadata.needs) ?? permission.sendMessages,
  }),
  ReactionAdded: reacted,
  CustomReactionAdded: reacted,
};

/** Undefined for an event that nobody judges. */
export const decidedAct = (event: Recorded): DecidedAct | undefined => {
  // The table pairs each type with its own event; the compiler cannot follow that from the type of an event.
  const act = (acts as unknown as Readonly<Record<string, ((event: Recorded) => Act) | undefined>>)[event.type];
  const { position, at, metadata } = event;
  return act && { position, at, metadata, ...act(event) };
};

/** By the verdict of the judge. Undefined without a wait, like that: it is not refused. */
export const refusedAs =
  ({ refusalOf }: ActJudge) =>
  (event: Recorded): Promise<boolean> | undefined => {
    const act = decidedAct(event);
    return act && refusalOf(act)?.then((reason) => reason !== undefined);
  };

/** Streams and authors in slow mode of which the last change is remembered. */
export const changesMax = 10_000;
/** Mostly there is nothing between the decision and the event. */
const eventsFirstRead = 16;
const eventsPerReadMax = 500;

/** The fan-out, the workflow and the folds of other updates ask about the same acts within moments. */
export const verdictsMax = 1_000;

export const judgeOf = (given: ActJudgeNeeds): FollowingJudge => {
  const changes = latestChanges();
  const needs = {
    ...given,
    communityUpTo: documentsUpTo(given, communityDocuments),
    memberUpTo: documentsUpTo(given, memberDocuments),
  };
  const verdicts = boundedMap<string, Promise<Reason | undefined>>({ entriesMax: verdictsMax });
  const verdict = (act: DecidedAct, place: Place): Promise<Reason | undefined> => {
    const name = `${act.position.toString()} ${act.needs.toString()}`;
    const known = verdicts.get(name);
    if (known !== undefined) return known;
    const judging = judged(needs, act, place).catch((error: unknown) => {
      // It is judged anew when it is met again.
      verdicts.delete(name);
      throw error;
    });
    verdicts.set(name, judging);
    return judging;
  };
  return {
    passed: (stored) => {
      const name = changedBy(needs, stored);
      changes.passed(stored.position, name);
    },
    refusalOf: (act) => {
      const asOf = numberInMetadata(act.metadata.asOf);
      return byKind<Promise<Reason | undefined> | undefined>(parseChatKey(act.chat), {
        channel: (place) => {
          if (asOf === undefined) return undefined;
          const dependsOn = namesOf(act, place);
          return changes.isUnchangedBetween(asOf, act.position, dependsOn) ? undefined : verdict(act, place);
        },
        // Nothing takes away what the two sides may do.
        direct: () => undefined,
        self: () => undefined,
        group: () => undefined,
      });
    },
  };
};

type Place = ChatOf<'channel'>;

const slowName = (chat: string, author: string): string => `slow ${chat} ${author}`;

const namesOf = ({ chat, actor, metadata }: DecidedAct, { community }: Place): readonly string[] => [
  communityStream(community),
  memberStream(community, actor),
  accountStream(actor),
  ...(metadata.slowmode === undefined ? [] : [slowName(chat, actor.toString())]),
];

const families = [communityStreams, memberStreams, accountStreams] as const;

/** The name of a thing that acts depend on and this event changes. */
const changedBy = ({ codec }: Pick<ActJudgeNeeds, 'codec'>, stored: StoredEvent): string | undefined => {
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

type JudgingNeeds = ActJudgeNeeds & {
  readonly communityUpTo: ReturnType<typeof documentsUpTo<CommunityDocument, CommunityEvent>>;
  readonly memberUpTo: ReturnType<typeof documentsUpTo<MemberDocument, MemberEvent>>;
};

const judged = async (needs: JudgingNeeds, act: DecidedAct, place: Place): Promise<Reason | undefined> => {
  const { refusal, isChanged } = await meanwhile(needs, act, place);
  if (refusal !== undefined || !isChanged) return refusal;
  return refusedBy(needs, act, place).catch(unlessTooMany);
};

/** By the rights right before it. */
const refusedBy = async (
  { communityUpTo, memberUpTo }: JudgingNeeds,
  { actor, position, needs: wanted }: DecidedAct,
  { community: id, channel }: Place,
): Promise<Reason | undefined> => {
  const [community, member] = await Promise.all([
    communityUpTo(communityKey(id), position),
    memberUpTo(memberKey(id, actor), position),
  ]);
  if (community === undefined || member === undefined) return 'CHAT_NOT_FOUND';
  const membership = { community: id, roles: member.roles, joined: 0n };
  const permissions = rulesOfCommunity(community).inChannel(channel, membership, actor);
  if (permissions === 0n) return 'CHAT_NOT_FOUND';
  return (permissions & wanted) === wanted ? undefined : 'MISSING_PERMISSION';
};

type Meanwhile = {
  readonly refusal?: Reason;
  /** Whether the streams of the rights were written, so that they have to be folded. Reading them costs far more. */
  readonly isChanged: boolean;
};

/** By what else happened between the decision and the event. */
const meanwhile = async (needs: ActJudgeNeeds, act: DecidedAct, place: Place): Promise<Meanwhile> => {
  const rights: readonly string[] = [communityStream(place.community), memberStream(place.community, act.actor)];
  let from = numberInMetadata(act.metadata.asOf) ?? act.position;
  let isChanged = false;
  for (let limit = eventsFirstRead; ; limit = eventsPerReadMax) {
    const page = await needs.log.readAll({ from, limit });
    const between = page.filter(({ position }) => position < act.position);
    for (const stored of between) {
      const refusal = isInSlowmode(needs, act, stored) ? 'SLOWMODE' : await revokedBy(needs, act, stored);
      if (refusal !== undefined) return { refusal, isChanged };
      isChanged ||= rights.includes(stored.stream);
    }
    const last = between.at(-1);
    if (last === undefined || between.length < limit) return { isChanged };
    from = last.position;
  }
};

const isInSlowmode = (
  { codec }: Pick<ActJudgeNeeds, 'codec'>,
  { chat, actor, at, metadata }: DecidedAct,
  stored: StoredEvent,
): boolean => {
  if (metadata.slowmode === undefined || changedBy({ codec }, stored) !== slowName(chat, actor.toString()))
    return false;
  return at - stored.at < slowmodeMillis(metadata.slowmode);
};

const slowmodeMillis = (seconds: string): Millis => (Number(seconds) * 1000) as Millis;

const revokedBy = async (
  { codec, sealer }: ActJudgeNeeds,
  { actor, metadata }: DecidedAct,
  stored: StoredEvent,
): Promise<Reason | undefined> => {
  const isRevocation = codec.factOf(stored) === accountEvents.SessionRevoked.type;
  if (!isRevocation || stored.stream !== accountStream(actor)) return undefined;
  const event = await readEvent(codec, sealer, stored);
  // The type says which event it is.
  const { session } = event?.data as { readonly session: bigint };
  return session.toString() === metadata.session ? 'NOT_AUTHORIZED' : undefined;
};
