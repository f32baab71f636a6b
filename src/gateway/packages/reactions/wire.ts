import type { AddReaction, RemoveReaction } from '../../../gen/reactions.js';
import { reject, type Rejection } from '../../../kernel/decider.js';
import { qualifiedEmoji } from './emoji.js';

/** The emoji in its fully-qualified form. */
export const emojiIn = ({ emoji }: AddReaction | RemoveReaction): string | Rejection => {
  if (emoji?.customEmoji !== undefined) return reject('INVALID_ARGUMENT', 'there is no such custom emoji');
  return qualifiedEmoji(emoji?.unicodeEmoji ?? '') ?? reject('INVALID_ARGUMENT', 'a reaction is exactly one emoji');
};
