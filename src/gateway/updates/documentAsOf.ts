import { readEvent, type EventCodec } from '../../kernel/codec.js';
import { forRunner, type DocumentType } from '../../kernel/document.js';
import type { Recorded } from '../../kernel/event.js';
import type { MessageId } from '../../kernel/ids.js';
import type { EventLog } from '../../kernel/ports/eventLog.js';
import type { Sealer } from '../../kernel/ports/sealer.js';
import type { MessageDocument } from '../../projections/messages/documents.js';

export type MessageAsOfNeeds = {
  readonly log: Pick<EventLog, 'readStream'>;
  readonly codec: EventCodec;
  readonly sealer: Sealer;
  readonly messages: DocumentType<MessageDocument, never>;
};

/**
 * A message as it was right after an event of its own stream; the log is asked for one record at most, however often the
 * message was edited. Undefined when the message was deleted, or when the log has lost the beginning of the stream.
 * Rejects when the event is of another stream, because only the message's own events say how far the message has come.
 */
export const messageAsOf = ({ log, codec, sealer, messages }: MessageAsOfNeeds) => {
  const type = forRunner(messages);
  const { streams, foldsFromFirstAndLatest } = messages;
  if (streams === 'log' || foldsFromFirstAndLatest !== true) {
    throw new Error('messages cannot be folded from the first and the latest event of their streams');
  }
  const firstOf = async (stream: string): Promise<Recorded | undefined> => {
    const [first] = await log.readStream(stream, { from: 0n, limit: 1 });
    // A log that has dropped old events answers with the oldest one that it still has.
    return first?.revision === 0n ? readEvent(codec, sealer, first) : undefined;
  };
  return async (message: MessageId, asOf: Recorded): Promise<MessageDocument | undefined> => {
    const key = message.toString();
    if (!streams(key).includes(asOf.stream)) throw new Error(`message ${key} has no event in ${asOf.stream}`);
    const first = asOf.revision === 0n ? undefined : await firstOf(asOf.stream);
    const begun = first === undefined ? undefined : type.fold(undefined, first, key);
    // The tables of a document type make documents of that type; `forRunner` forgot which.
    return type.fold(begun, asOf, key) as MessageDocument | undefined;
  };
};
