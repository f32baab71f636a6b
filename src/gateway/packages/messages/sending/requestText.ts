import type { Sending } from '../wire.js';

/**
 * A request to send as one text, the same for the same request: over all of it but its chat and nonce, so that what
 * requests come to hold is in it by itself. Fields stand in the order of their names. Another form of the text would take
 * the retry of a message that a former release has stored for a new message.
 */
export const requestText = ({ chat: _, nonce: __, ...asked }: Sending): string =>
  `send:${JSON.stringify(ordered(asked))}`;

const ordered = (value: unknown): unknown => {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(ordered);
  const fields = value as Readonly<Record<string, unknown>>;
  const inOrder: Record<string, unknown> = {};
  for (const name of Object.keys(fields).sort()) inOrder[name] = ordered(fields[name]);
  return inOrder;
};
