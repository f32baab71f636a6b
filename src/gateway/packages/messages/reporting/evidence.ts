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
  const around = { around: message, limit: 2 * neighboursMax + 1 };
  const [written, page] = await Promise.all([wordings(message), history(reads, chat, around)]);
  const about = { copied: message, author, ...defined({ writtenBy: forwarded?.writtenBy }) };
  const own = written.map((wording, index): Evidence => {
    const kind = index === written.length - 1 ? 'reported' : 'former';
    return { ...about, ...wording, kind };
  });
  return [...own, ...page.filter(({ id }) => id !== message).flatMap(neighbour)];
};

const neighbour = ({ id, author, writtenBy, ...shown }: MessageDocument): readonly Evidence[] => {
  const [text, entities] = [unless(shown.text, undefined), unless(shown.entities, undefined)];
  if (text === undefined || entities === undefined) return [];
  const quote = shown.quote && unless(shown.quote, undefined);
  const media = shown.media && unless(shown.media, undefined);
  const at = shown.editedAt ?? shown.sentAt;
  return [{ kind: 'neighbour', copied: id, author, at, text, entities, ...defined({ writtenBy, quote, media }) }];
};
