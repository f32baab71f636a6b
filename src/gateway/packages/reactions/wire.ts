import { customReaction, type Reaction } from '../../../domain/reactions/events.js';
import type { AddReaction, RemoveReaction } from '../../../gen/reactions.js';
import { reject, type Rejection } from '../../../kernel/decider.js';
import { qualifiedEmoji } from './emoji.js';

/** An emoji of Unicode in its fully-qualified form, or a custom emoji of which nothing is known yet. */
export const reactionIn = ({ emoji }: AddReaction | RemoveReaction): Reaction | Rejection => {
  if (emoji?.customEmoji !== undefined) return customReaction(emoji.customEmoji);
  return qualifiedEmoji(emoji?.unicodeEmoji ?? '') ?? reject('INVALID_ARGUMENT', 'a reaction is exactly one emoji');
};
