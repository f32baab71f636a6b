import type { MessageId } from '../../kernel/ids.js';
import type { Personal } from '../../kernel/personal.js';
import type { ShownPreview } from '../../domain/previews/events.js';

/**
 * The preview of the first link of a message. Key: the message's id, in decimal. Absent while there is none. It belongs to
 * the words of one revision of the message, and is shown with no others.
 */
export type PreviewDocument = {
  readonly message: MessageId;
  readonly revision: number;
  readonly preview: Personal<ShownPreview>;
};

export const previewKey = (message: MessageId): string => message.toString();
