import { messageStream, type MessageEvent } from '../../domain/messages/events.js';
import type { BotInfo, Entity, Media, Quote } from '../../domain/messages/events.js';
import { readEvents, type EventCodec } from '../../kernel/codec.js';
import { defined } from '../../kernel/defined.js';
import type { Recorded } from '../../kernel/event.js';
import type { MessageId, Millis } from '../../kernel/ids.js';
import { unless } from '../../kernel/opened.js';
import type { EventLog } from '../../kernel/ports/eventLog.js';
import type { Sealer } from '../../kernel/ports/sealer.js';

/** The words of a message from `at` on, until its next wording. */
export type Wording = {
  readonly at: Millis;
  readonly text: string;
  readonly entities: readonly Entity[];
  readonly quote?: Quote;
  readonly media?: readonly Media[];
  readonly botInfo?: BotInfo;
};

/** Of one message: the first wording and the newest ones. */
export const wordingsMax = 50;

export type WordingsNeeds = {
  readonly log: Pick<EventLog, 'readStream'>;
  readonly codec: EventCodec;
  readonly sealer: Sealer;
};

/** The wordings of a message in the order in which they were written, without those that were erased. */
export type Wordings = (message: MessageId) => Promise<readonly Wording[]>;

export const wordingsIn =
  ({ log, codec, sealer }: WordingsNeeds): Wordings =>
  async (message) => {
    const stream = messageStream(message);
    const page = await log.readStream(stream, { direction: 'backwards', limit: wordingsMax });
    const isWhole = page.at(-1)?.revision === 0n;
    const first = isWhole ? [] : await log.readStream(stream, { from: 0n, limit: 1 });
    const newest = page.slice(0, wordingsMax - first.length).toReversed();
    const events = await readEvents(codec, sealer, [...first, ...newest]);
    // The stream of a message holds events of messages.
    return events.flatMap((event) => wordingOf(event as Recorded<MessageEvent>));
  };

const wordingOf = ({ type, data, at }: Recorded<MessageEvent>): readonly Wording[] => {
  if (type === 'MessageDeleted' || type === 'MemberAnnounced') return [];
  const [text, entities] = [unless(data.text, undefined), unless(data.entities, undefined)];
  if (text === undefined || entities === undefined) return [];
  const quoted = 'quote' in data ? data.quote : undefined;
  const ofBot = 'botInfo' in data ? data.botInfo : undefined;
  const quote = quoted && unless(quoted, undefined);
  const media = data.media && unless(data.media, undefined);
  const botInfo = ofBot && unless(ofBot, undefined);
  return [{ at, text, entities, ...defined({ quote, media, botInfo }) }];
};
