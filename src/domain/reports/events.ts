import type { ChatKey } from '../../kernel/chat.js';
import { declareEvents, type EventsOf } from '../../kernel/declareEvents.js';
import type { FileId, MessageId, UserId } from '../../kernel/ids.js';
import { added, chatKey, count, id, list, millis, oneOf, optional, text } from '../../kernel/schema.js';
import { streamFamily } from '../../kernel/streams.js';
import { botInfo } from '../messages/botInfo.js';
import { entity, media, quote } from '../messages/events.js';

const message = id<MessageId>('message');
const user = id<UserId>('user');
const files = list(id<FileId>('file'));
const fields = { message, chat: chatKey, by: user, day: count };

export const reportStreams = streamFamily('report');
export const reportStream = (reported: MessageId, by: UserId): string =>
  reportStreams.named(`${reported.toString()}.${by.toString()}`);

type OfReport = {
  readonly message: MessageId;
  readonly chat: ChatKey;
  readonly by: UserId;
  /** Of the log, on which the report was made. */
  readonly day: number;
};
const stream = (data: OfReport): string => reportStream(data.message, data.by);
const about = (data: OfReport): string => data.chat;

/** The scope of the key that seals the reports of a day. Nobody is the subject, so that erasing a user leaves them. */
export const evidenceScope = (day: number): string => `reports.${day.toString()}`;
const sealedFor = (data: OfReport) => ({ scope: evidenceScope(data.day) });

/** Streams: `report-<message>.<user>`: the one report of a message by a user, with its evidence. */
export const reportEvents = declareEvents(
  'reports',
  { stream, about, sealedFor },
  {
    MessageReported: {
      says: 'A user reported a message. `day` is the day of the log, whose key seals all reports made on it and is destroyed 180 days later. `files` are those of the evidence, which stay as long; absent where it has none.',
      fields: { ...fields, files: optional(files) },
      personal: { reason: text },
    },
    EvidenceKept: {
      says: 'A copy that was made with a report: of the message as it was then (`reported`), of a former wording of it (`former`), or of a message right before or after it (`neighbour`). `copied` is the message of which it is, `at` when this wording was written; `writtenBy` wrote the words of a forward. A copy that is too large for one event is several, one after the other, each with a `part` of what is shown: `part` counts them from 1.',
      fields: {
        ...fields,
        kind: oneOf('reported', 'former', 'neighbour'),
        copied: message,
        author: user,
        writtenBy: optional(user),
        at: millis,
        part: added(count),
      },
      personal: {
        text,
        entities: list(entity),
        quote: optional(quote),
        media: optional(list(media)),
        botInfo: added(botInfo),
      },
    },
    ReportEnded: {
      says: 'The report is kept no longer, so its evidence uses these files no more. Only of reports with files: the others end with their key alone.',
      fields: { ...fields, files },
    },
  },
);
export type ReportEvent = EventsOf<typeof reportEvents>;
