import { botInfo as botInfoSchema } from '../../../../domain/messages/botInfo.js';
import { entity, media as mediaSchema, quote as quoteSchema } from '../../../../domain/messages/events.js';
import type { Evidence } from '../../../../domain/reports/commands.js';
import type { AliveMessage } from '../../../../domain/messages/state.js';
import { defined } from '../../../../kernel/defined.js';
import type { MessageId } from '../../../../kernel/ids.js';
import { unless } from '../../../../kernel/opened.js';
import type { MessageDocument } from '../../../../projections/messages/documents.js';
import { history } from '../../../../projections/messages/queries.js';
import type { Reads } from '../../../../projections/reading/queries.js';
import type { Wordings } from '../../../access/wordings.js';

/** Messages on each side of the one that is reported. */
export const neighboursMax = 2;

/** So many are read on each side, because among them may be announcements, which nobody wrote. */
export const neighboursReadMax = 6;

/** Of what one event of evidence shows, as UTF-8 JSON: sealed it is a third larger, and stays below `eventBytesMax`. */
export const partBytesMax = 44_000;

/**
 * All evidence of a report, as UTF-8 JSON. Sealed, and with what stands around it, that stays below the mebibyte that an
 * EventStoreDB takes in one append.
 */
export const evidenceBytesMax = 640_000;

export type EvidenceNeeds = { readonly reads: Reads; readonly wordings: Wordings };

/**
 * Copies of the message in all its wordings and of its neighbours in the chat. Erased words are no evidence any more.
 * Files stay with the wordings that show them.
 */
export const evidenceOf = async (
  { reads, wordings }: EvidenceNeeds,
  message: MessageId,
  { chat, author, forwarded }: AliveMessage,
): Promise<readonly Evidence[]> => {
  const around = { around: message, limit: 2 * neighboursReadMax + 1 };
  const [written, page] = await Promise.all([wordings(message), history(reads, chat, around)]);
  const about = { copied: message, author, ...defined({ writtenBy: forwarded?.writtenBy }) };
  const own = written.map((wording, index): Evidence => {
    const kind = index === written.length - 1 ? 'reported' : 'former';
    return { ...about, ...wording, kind };
  });
  const [reported, neighbours] = [own.at(-1), nearest(page, message).flatMap(neighbour)];
  const kept = boundedEvidence({ former: own.slice(0, -1), rest: [...(reported ? [reported] : []), ...neighbours] });
  return kept.flatMap(inParts);
};

type Collected = {
  /** In the order in which they were written. */
  readonly former: readonly Evidence[];
  /** The message as it is, and its neighbours: kept in any case. */
  readonly rest: readonly Evidence[];
};

/** Of the former wordings the first, and as many of the newest as there is room for. */
const boundedEvidence = ({ former, rest }: Collected): readonly Evidence[] => {
  const [first, ...later] = former;
  const begins = first === undefined ? [] : [first];
  let left = evidenceBytesMax - [...begins, ...rest].reduce((sum, one) => sum + shownBytes(one), 0);
  let from = later.length;
  while (from > 0) {
    left -= shownBytes(later[from - 1] ?? nothingShown);
    if (left < 0) break;
    from -= 1;
  }
  return [...begins, ...later.slice(from), ...rest];
};

type Shown = Pick<Evidence, 'text' | 'entities' | 'quote' | 'media' | 'botInfo'>;
const nothingShown: Shown = { text: '', entities: [] };

/** Each event has a little besides what it shows. */
const aroundBytes = 300;

const shownBytes = ({ text, entities, quote, media = [], botInfo }: Shown): number => {
  const shown = [
    text,
    entities.map(entity.encode),
    quote && quoteSchema.encode(quote),
    media.map(mediaSchema.encode),
    botInfo && botInfoSchema.encode(botInfo),
  ];
  return aroundBytes + Buffer.byteLength(JSON.stringify(shown));
};

/**
 * A message fills its event nearly, and a copy has more around it. So one that is too large goes into several: the
 * words, each thing that is attached, and what a bot adds are kept together.
 */
const inParts = ({ text, entities, quote, media = [], botInfo, ...about }: Evidence): readonly Evidence[] => {
  const words = { text, entities };
  const whole = { ...words, ...defined({ quote, media: media.length === 0 ? undefined : media, botInfo }) };
  if (shownBytes(whole) <= partBytesMax) return [{ ...about, ...whole }];
  const rest = (shown: Partial<Shown>): Shown => ({ ...nothingShown, ...shown });
  const pieces: readonly Shown[] = [
    // More than any message has by its words alone: entities give way to the words that they are of.
    shownBytes(words) <= partBytesMax ? words : { text, entities: [] },
    ...(quote === undefined ? [] : [rest({ quote })]),
    ...media.map((one) => rest({ media: [one] })),
    ...(botInfo === undefined ? [] : [rest({ botInfo })]),
  ];
  return packed(pieces).map((shown, index) => ({ ...about, ...shown, part: index + 1 }));
};

/** As few as there may be, in order. */
const packed = (pieces: readonly Shown[]): readonly Shown[] => {
  const parts: Shown[] = [];
  for (const piece of pieces) {
    const last = parts.at(-1);
    const together = last && joined(last, piece);
    if (together !== undefined && shownBytes(together) <= partBytesMax) parts.splice(-1, 1, together);
    else parts.push(piece);
  }
  return parts;
};

/** The second has no words. */
const joined = (one: Shown, { quote, media, botInfo }: Shown): Shown => ({
  ...one,
  ...defined({ quote, botInfo, media: media && [...(one.media ?? []), ...media] }),
});

/** In the order of the page, which has the newest first. */
const nearest = (page: readonly MessageDocument[], message: MessageId): readonly MessageDocument[] => {
  const written = page.filter(({ announces }) => announces === undefined);
  const newer = written.filter(({ id }) => id > message);
  const older = written.filter(({ id }) => id < message);
  return [...newer.slice(-neighboursMax), ...older.slice(0, neighboursMax)];
};

const neighbour = ({ id, author, writtenBy, ...shown }: MessageDocument): readonly Evidence[] => {
  const [text, entities] = [unless(shown.text, undefined), unless(shown.entities, undefined)];
  if (text === undefined || entities === undefined) return [];
  const quote = shown.quote && unless(shown.quote, undefined);
  const media = shown.media && unless(shown.media, undefined);
  const botInfo = shown.botInfo && unless(shown.botInfo, undefined);
  const at = shown.editedAt ?? shown.sentAt;
  const more = defined({ writtenBy, quote, media, botInfo });
  return [{ kind: 'neighbour', copied: id, author, at, text, entities, ...more }];
};
