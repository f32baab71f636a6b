import type { ChatKey } from '../../kernel/chat.js';
import { declareEvents, type EventsOf } from '../../kernel/declareEvents.js';
import type { FileId, MessageId, UserId } from '../../kernel/ids.js';
import { added, chatKey, count, id, millis, optional, shape, text, type Value } from '../../kernel/schema.js';
import { streamFamily } from '../../kernel/streams.js';
import { attachedFile } from '../messages/events.js';

const user = id<UserId>('user');
const named = { message: id<MessageId>('message'), chat: chatKey, author: user };
/**
 * `editsPaidUntil` paces how often an author changes whether there are previews. The latest event alone counts, so each
 * hands it on.
 */
const fields = { ...named, editsPaidUntil: added(millis) };

export const previewStreams = streamFamily('preview');
export const previewStream = (message: MessageId): string => previewStreams.named(message.toString());

type OfMessage = {
  readonly message: MessageId;
  readonly chat: ChatKey;
  readonly author: UserId;
  /** Of the words of a forwarded message, in which the link stands. */
  readonly writtenBy?: UserId;
};
const stream = (data: OfMessage): string => previewStream(data.message);
const about = (data: OfMessage): string => data.chat;
const sealedFor = (data: OfMessage) => ({ subject: data.writtenBy ?? data.author, scope: data.chat });

const preview = shape({
  url: text,
  title: optional(text),
  description: optional(text),
  authorName: optional(text),
  websiteName: optional(text),
  picture: added(attachedFile),
});
export type ShownPreview = Value<typeof preview>;

const file = id<FileId>('file');
/** The file of the picture that the preview before this event has. */
const lost = { lost: added(file) };

/** Streams: `preview-<message>`: the previews of the links of one message. The latest event alone counts. */
export const previewEvents = declareEvents(
  'previews',
  { stream, about, sealedFor },
  {
    PreviewFound: {
      says: 'The page behind the first link of a message says this of itself. `revision` is the place, in the stream of the message, of the event that has the words for which the page was asked: with any later words the preview is not shown. It is sealed as the words are. It uses the file `gained`, its picture, and the one before it used `lost`.',
      fields: { ...fields, writtenBy: optional(user), revision: count, gained: added(file), ...lost },
      personal: { preview },
    },
    PreviewsSuppressed: {
      says: 'The author wants no previews of the links of this message any more. A message that was sent so says it itself.',
      fields: { ...fields, ...lost },
    },
    PreviewsAllowed: {
      says: 'The author wants previews of the links of this message after all.',
      fields,
    },
    PreviewOutdated: {
      says: 'The message has other words since the event of its stream at `revision`, and the preview of those before is gone.',
      fields: { ...fields, revision: count, ...lost },
    },
    PreviewRemoved: {
      says: 'The message was deleted, and its preview with it.',
      fields: { ...named, ...lost },
    },
  },
);
export type PreviewEvent = EventsOf<typeof previewEvents>;
