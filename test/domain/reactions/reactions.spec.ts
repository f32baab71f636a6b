import { describe, it } from 'node:test';
import type { ReactionCommand } from '../../../src/domain/reactions/commands.js';
import { changesMax, reactions } from '../../../src/domain/reactions/decide.js';
import { customReaction, type ReactionEvent } from '../../../src/domain/reactions/events.js';
import { selfChat } from '../../../src/kernel/chat.js';
import type { FileId, MessageId, UserId } from '../../../src/kernel/ids.js';
import { givenFor } from '../../support/given.js';

const given = givenFor(reactions);
const user = 1n as UserId;
const about = { message: 10n as MessageId, chat: selfChat(user), user };
const added = (emoji: string): ReactionEvent => ({ type: 'ReactionAdded', data: { ...about, emoji } });
const removed = (emoji: string): ReactionEvent => ({ type: 'ReactionRemoved', data: { ...about, emoji } });
const add = (emoji: string): ReactionCommand => ({ type: 'AddReaction', data: { ...about, reaction: emoji } });
const remove = (emoji: string): ReactionCommand => ({ type: 'RemoveReaction', data: { ...about, reaction: emoji } });

/** So many changes, after which the user has `👍` there when they are odd. */
const changed = (changes: number): readonly ReactionEvent[] =>
  Array.from({ length: changes }, (_, index) => (index % 2 === 0 ? added('👍') : removed('👍')));

describe('adding a reaction', () => {
  it('puts it there, once', () => {
    given().when(add('👍')).thenOnce(added('👍'));
  });
  it('is possible beside other emoji, and again after it was taken back', () => {
    given(added('👍')).when(add('👍🏽')).thenOnce(added('👍🏽'));
    given(added('👍'), removed('👍')).when(add('👍')).thenOnce(added('👍'));
  });
  it('may be one with a custom emoji, which counts for itself', () => {
    const emoji = 5n as FileId;
    const [put, taken] = [
      { type: 'CustomReactionAdded', data: { ...about, emoji } } as const,
      { type: 'CustomReactionRemoved', data: { ...about, emoji } } as const,
    ];
    given(added('👍'))
      .when(add(customReaction(emoji)))
      .thenOnce(put);
    given(put, added('👍'))
      .when(remove(customReaction(emoji)))
      .thenOnce(taken);
    given(put, taken)
      .when(add(customReaction(emoji)))
      .thenOnce(put);
  });
  it('is refused after too many changes, and not one sooner', () => {
    given(...changed(changesMax - 2))
      .when(add('👍'))
      .then(added('👍'));
    given(...changed(changesMax))
      .when(add('👍'))
      .refuses('RATE_LIMITED');
    given(...changed(changesMax - 1), added('❤️'))
      .when(add('🎉'))
      .refuses('RATE_LIMITED');
  });
  it('changes nothing after too many changes when the reaction is there already', () => {
    given(...changed(changesMax + 1))
      .when(add('👍'))
      .then();
  });
});

describe('withdrawing a reaction', () => {
  const withdraw = (change: number): ReactionCommand => ({
    type: 'WithdrawReaction',
    data: { ...about, reaction: '👍', change },
  });
  it('takes it back in the name of the server, once', () => {
    const taken: ReactionEvent = { type: 'ReactionRemoved', data: { ...about, emoji: '👍', because: 'rightLost' } };
    given(added('❤️'), added('👍')).when(withdraw(2)).thenOnce(taken);
  });
  it('leaves alone what was put there again, and what is gone', () => {
    given(added('👍'), removed('👍'), added('👍')).when(withdraw(1)).then();
    given(added('👍'), removed('👍')).when(withdraw(1)).then();
  });
});

describe('taking a reaction back', () => {
  it('removes it, once', () => {
    given(added('👍'), added('❤️')).when(remove('👍')).thenOnce(removed('👍'));
  });
  it('changes nothing when it is not there', () => {
    given(added('👍')).when(remove('👎')).then();
    given(added('👍'), removed('👍')).when(remove('👍')).then();
  });
  it('is possible after any number of changes', () => {
    given(...changed(changesMax + 1))
      .when(remove('👍'))
      .thenOnce(removed('👍'));
  });
});
