import type { AliveMessage } from '../../../../domain/messages/state.js';
import type { Entity, Quote } from '../../../../domain/messages/events.js';
import { unless } from '../../../../kernel/opened.js';

/**
 * The quote as the original has it by now: at `offset`, or at the place nearest to it where the words stand, and with
 * those of its entities that the original has there. Undefined when the original does not say this, so that nobody puts
 * words into the mouth of another.
 */
export const quoteFrom = ({ text, entities }: Original, quote: Quote): Quote | undefined => {
  const found = placeOf(quote, unless(text, ''));
  if (found === undefined) return undefined;
  const known = unless(entities, []).map((entity) => ({ ...entity, start: entity.start - found }));
  const kept = quote.entities.filter((entity) => known.some((one) => vouchesFor(one, entity)));
  return { text: quote.text, entities: kept, offset: found };
};

type Original = Pick<AliveMessage, 'text' | 'entities'>;

const placeOf = ({ text: words, offset = 0 }: Quote, text: string): number | undefined => {
  const after = text.indexOf(words, offset);
  if (after === offset) return offset;
  const before = text.lastIndexOf(words, offset);
  if (after < 0 || before < 0) return after < 0 && before < 0 ? undefined : Math.max(after, before);
  return after - offset < offset - before ? after : before;
};

/** Kinds that say something by the very text which they cover: a part of an address is another address. */
const wholeKinds: ReadonlySet<Entity['kind']> = new Set(['url', 'username', 'userMention', 'customEmoji']);

const vouchesFor = (original: Entity, quoted: Entity): boolean => {
  const isAlike =
    original.kind === quoted.kind &&
    original.language === quoted.language &&
    original.url === quoted.url &&
    original.emoji === quoted.emoji;
  if (!isAlike) return false;
  if (wholeKinds.has(quoted.kind)) return original.start === quoted.start && original.length === quoted.length;
  return original.start <= quoted.start && quoted.start + quoted.length <= original.start + original.length;
};
