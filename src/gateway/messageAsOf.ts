import { readEvents, type EventCodec } from '../kernel/codec.js';
import { forRunner, type DocumentType } from '../kernel/document.js';
import type { Recorded } from '../kernel/event.js';
import type { MessageId } from '../kernel/ids.js';
import type { EventLog } from '../kernel/ports/eventLog.js';
import type { Sealer } from '../kernel/ports/sealer.js';
import type { MessageDocument } from '../projections/messages/documents.js';

export type MessageAsOfNeeds = {
  readonly log: Pick<EventLog, 'readStream'>;
  readonly codec: EventCodec;
  readonly sealer: Sealer;
  readonly messages: DocumentType<MessageDocument, never>;
};

const pageEvents = 100;

/** A message as it was right after an event, folded from its own streams. */
export const messageAsOf = ({ log, codec, sealer, messages }: MessageAsOfNeeds) => {
  const type = forRunner(messages);
  const { streams } = messages;
  if (streams === 'log') throw new Error('messages cannot be folded from streams of their own');
  const eventsOf = async (stream: string, upTo: Recorded): Promise<readonly Recorded[]> => {
    // The event that begins the stream is all there is of it.
    if (stream === upTo.stream && upTo.revision === 0n) return [upTo];
    const events: Recorded[] = [];
    for (let from = 0n; ; from += BigInt(pageEvents)) {
      const page = await log.readStream(stream, { from, limit: pageEvents });
      const wanted = page.filter(({ position }) => position <= upTo.position);
      events.push(...(await readEvents(codec, sealer, wanted)));
      if (wanted.length < pageEvents) return events;
    }
  };
  return async (message: MessageId, asOf: Recorded): Promise<MessageDocument | undefined> => {
    const key = message.toString();
    const found = await Promise.all(streams(key).map((stream) => eventsOf(stream, asOf)));
    const inOrder = found.flat().sort((one, other) => (one.position < other.position ? -1 : 1));
    const folded = inOrder.reduce<unknown>((before, event) => type.fold(before, event, key), undefined);
    // The tables of a document type make documents of that type; `forRunner` forgot which.
    return folded as MessageDocument | undefined;
  };
};
