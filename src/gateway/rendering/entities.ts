import type { Entity } from '../../domain/messages/events.js';
import type { MessageEntity, MessageEntityInit } from '../../gen/types.js';
import type { FileId } from '../../kernel/ids.js';
import { isRejection, reject, type Rejection } from '../../kernel/decider.js';
import { hostLabelUnitsMax, hostUnitsMax, linkFault } from './links.js';

/** In UTF-16 code units. */
export const entityUrlUnitsMax = 2048;
export const entityLanguageUnitsMax = 64;

/** Different custom emoji in one text: each is looked up. */
export const customEmojiMax = 50;

/**
 * As they came, in their order: clients nest by it. All of them hold for `text`, or none is taken. Their number is
 * bounded where requests are decoded. Their addresses are only measured here: parsing them costs more, so `refusedLink`
 * does it once the whole message is known to be small enough.
 */
export const entitiesOf = (wire: readonly MessageEntity[], text: string): readonly Entity[] | Rejection => {
  const entities: Entity[] = [];
  for (const [index, one] of wire.entries()) {
    const entity = entityOf(one, text);
    if (isRejection(entity)) return numbered(index, entity);
    entities.push(entity);
  }
  return customEmojiIn(entities).length > customEmojiMax
    ? reject('TOO_MANY', `a text has at most ${customEmojiMax.toString()} different custom emoji`)
    : entities;
};

/** Each once. */
export const customEmojiIn = (entities: readonly Entity[]): readonly FileId[] => [
  ...new Set(entities.flatMap(({ emoji }) => emoji ?? [])),
];

/** Refuses the first address that is not http, https or mailto, or whose host is too long. */
export const refusedLink = (entities: readonly Entity[]): Rejection | undefined => {
  for (const [index, { url }] of entities.entries()) {
    const fault = url === undefined ? undefined : linkFault(url);
    if (fault !== undefined) return numbered(index, reject('INVALID_ENTITIES', linkFaults[fault]));
  }
  return undefined;
};

const linkFaults = {
  'not a link': 'has an address that is not http, https or mailto',
  'long host': `has an address whose host has more than ${hostUnitsMax.toString()}, or a part of it more than ${hostLabelUnitsMax.toString()} characters`,
} as const;

const numbered = (index: number, refusal: Rejection): Rejection => ({
  ...refusal,
  detail: `number ${index.toString()} ${refusal.detail ?? ''}`,
});

/** The text that an entity is about. */
export const coveredBy = ({ start, length }: Pick<Entity, 'start' | 'length'>, text: string): string =>
  text.slice(start, start + length);

export const entitiesFor = (entities: readonly Entity[]): readonly MessageEntityInit[] =>
  entities.map((entity) => ({
    startIndex: entity.start,
    length: entity.length,
    ...writers[entity.kind](entity),
  }));

const entityOf = (wire: MessageEntity, text: string): Entity | Rejection => {
  const { startIndex: start, length } = wire;
  if (length === 0 || start + length > text.length) return reject('INVALID_ENTITIES', 'is out of range');
  if (splitsPair(text, start) || splitsPair(text, start + length)) {
    return reject('INVALID_ENTITIES', 'splits a surrogate pair');
  }
  const what = kindOf(wire);
  return isRejection(what) ? what : { start, length, ...what };
};

const splitsPair = (text: string, at: number): boolean => isHigh(text.charCodeAt(at - 1)) && isLow(text.charCodeAt(at));
// Outside the text the code is NaN, which is neither.
const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

type What = Omit<Entity, 'start' | 'length'>;
type Kind = Entity['kind'];

/** How each kind is read, undefined where the wire entity is not of it; and how it is written. */
type Reader = (wire: MessageEntity) => What | Rejection | undefined;
type Writer = (entity: Entity) => Omit<MessageEntityInit, 'startIndex' | 'length'>;

const plainKinds = ['bold', 'italic', 'underline', 'strikethrough', 'code', 'url', 'username'] as const;
type PlainKind = (typeof plainKinds)[number];

// A kind that says `false` says nothing.
const plain =
  (kind: PlainKind): Reader =>
  (wire) =>
    wire[kind] === true ? { kind } : undefined;

const readers: readonly Reader[] = [
  ...plainKinds.map(plain),
  ({ spoiler }) => spoiler && { kind: 'spoiler' },
  ({ userMention }) => userMention && { kind: 'userMention' },
  ({ pre }) => pre && preOf(pre.language),
  ({ textUrl }) => textUrl && linkOf(textUrl.url),
  ({ customEmoji }) => customEmoji && emojiOf(customEmoji.emojiId),
];

const kindOf = (wire: MessageEntity): What | Rejection => {
  for (const read of readers) {
    const what = read(wire);
    if (what !== undefined) return what;
  }
  return reject('INVALID_ENTITIES', 'has no kind');
};

const preOf = (language: string | undefined): What | Rejection => {
  if (language === undefined || language === '') return { kind: 'pre' };
  if (language.length > entityLanguageUnitsMax) return reject('INVALID_ENTITIES', 'names too long a language');
  return { kind: 'pre', language };
};

const linkOf = (url: string): What | Rejection => {
  if (url.length > entityUrlUnitsMax) return reject('INVALID_ENTITIES', 'has too long an address');
  return { kind: 'textUrl', url };
};

const emojiOf = (emoji: NonNullable<Entity['emoji']>): What | Rejection =>
  emoji === 0n ? reject('INVALID_ENTITIES', 'names no emoji') : { kind: 'customEmoji', emoji };

const writers: Readonly<Record<Kind, Writer>> = {
  bold: () => ({ bold: true }),
  italic: () => ({ italic: true }),
  underline: () => ({ underline: true }),
  strikethrough: () => ({ strikethrough: true }),
  code: () => ({ code: true }),
  url: () => ({ url: true }),
  username: () => ({ username: true }),
  spoiler: () => ({ spoiler: {} }),
  userMention: () => ({ userMention: {} }),
  pre: ({ language }) => ({ pre: { language } }),
  textUrl: ({ url }) => ({ textUrl: { url } }),
  customEmoji: ({ emoji }) => ({ customEmoji: { emojiId: emoji } }),
};
