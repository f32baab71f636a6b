import type { MessageId } from '../../kernel/ids.js';

/** How far a user said to have read a chat. Key: `<user>.<chat>`. Their own messages move the marker as well: see `LastSentDocument`. */
export type ReadMarkerDocument = { readonly message: MessageId };
