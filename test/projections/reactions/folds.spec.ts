import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { reactions } from '../../../src/domain/reactions/decide.js';
import type { ReactionEvent } from '../../../src/domain/reactions/events.js';
import { selfChat } from '../../../src/kernel/chat.js';
import { decide, isRejection } from '../../../src/kernel/decider.js';
import { apply } from '../../../src/kernel/event.js';
import type { MessageId, UserId } from '../../../src/kernel/ids.js';
import { newestReactorsMax, userReactionsKey } from '../../../src/projections/reactions/documents.js';
import { messageReactionsDocuments, userReactionsDocuments } from '../../../src/projections/reactions/fold.js';
import { propertyRun } from '../../support/propertyRun.js';
import { folded, given } from '../folded.js';
import { deleted } from '../messaging.js';

const [ada, bob, cleo] = [1n as UserId, 2n as UserId, 3n as UserId];
const message = 10n as MessageId;
const chat = selfChat(ada);
const change = (type: 'ReactionAdded' | 'ReactionRemoved', user: UserId, emoji: string): ReactionEvent => ({
  type,
  data: { message, chat, user, emoji },
});
const added = (user: UserId, emoji: string) => change('ReactionAdded', user, emoji);
const removed = (user: UserId, emoji: string) => change('ReactionRemoved', user, emoji);
const users = (count: number): readonly UserId[] => Array.from({ length: count }, (_, at) => BigInt(at + 1) as UserId);

describe('the reactions to a message', () => {
  const givenReactions = given(messageReactionsDocuments);
  const shown = (...emoji: readonly { emoji: string; count: number; newest: readonly UserId[] }[]) => ({
    '10': { deleted: false as const, emoji },
  });

  it('are counted by emoji in the order of first use, the newest users first', () => {
    givenReactions(added(ada, '👍'), added(bob, '❤️'), added(cleo, '👍')).then(
      shown({ emoji: '👍', count: 2, newest: [cleo, ada] }, { emoji: '❤️', count: 1, newest: [bob] }),
    );
  });
  it('lose an emoji with its last user, and have it at the end when it comes again', () => {
    const events = [added(ada, '👍'), added(bob, '❤️'), removed(ada, '👍')];
    givenReactions(...events).then(shown({ emoji: '❤️', count: 1, newest: [bob] }));
    givenReactions(...events, added(ada, '👍')).then(
      shown({ emoji: '❤️', count: 1, newest: [bob] }, { emoji: '👍', count: 1, newest: [ada] }),
    );
  });
  it('are none when the last one was taken back', () => {
    givenReactions(added(ada, '👍'), removed(ada, '👍')).then({});
  });
  it('name the newest users only, and count all', () => {
    const many = users(newestReactorsMax + 2);
    const newest = many.slice(2).toReversed();
    const events = many.map((user) => added(user, '👍'));
    givenReactions(...events).then(shown({ emoji: '👍', count: many.length, newest }));
    const [latest = ada] = newest;
    givenReactions(...events, removed(latest, '👍')).then(
      shown({ emoji: '👍', count: many.length - 1, newest: newest.slice(1) }),
    );
    givenReactions(...events, removed(ada, '👍')).then(shown({ emoji: '👍', count: many.length - 1, newest }));
  });
  it('are gone with the message, and stay so whatever stands behind its deletion', () => {
    const gone = { '10': { deleted: true as const } };
    givenReactions(added(ada, '👍'), deleted(10n, { chat })).then(gone);
    givenReactions(added(ada, '👍'), deleted(10n, { chat }), added(bob, '👍'), removed(ada, '👍')).then(gone);
    givenReactions(deleted(10n, { chat }), added(bob, '👍')).then(gone);
  });
});

describe('the reactions of a user', () => {
  it('are kept by message and user', () => {
    given(userReactionsDocuments)(added(ada, '👍'), added(ada, '❤️'), added(bob, '👍'), removed(ada, '👍')).then({
      '10.1': { emoji: ['❤️'] },
      '10.2': { emoji: ['👍'] },
    });
  });
  it('leave nothing when the last one was taken back', () => {
    given(userReactionsDocuments)(added(ada, '👍'), removed(ada, '👍')).then({});
  });
});

describe('both documents', () => {
  const anyCommand = fc.record({
    type: fc.constantFrom('AddReaction' as const, 'RemoveReaction' as const),
    user: fc.constantFrom(...users(12)),
    emoji: fc.constantFrom('👍', '❤️', '🎉'),
  });

  it('agree about every history that the rules allow', () => {
    fc.assert(
      fc.property(fc.array(anyCommand, { maxLength: 120 }), (commands) => {
        const states = new Map(users(12).map((user) => [user, reactions.initial]));
        const events: ReactionEvent[] = [];
        for (const { type, user, emoji } of commands) {
          const state = states.get(user) ?? reactions.initial;
          const decided = decide(reactions, { type, data: { message, chat, user, reaction: emoji } }, state);
          if (isRejection(decided)) continue;
          events.push(...decided);
          states.set(
            user,
            decided.reduce((before, event) => apply(reactions.evolve, before, event), state),
          );
        }
        const all = folded(messageReactionsDocuments, ...events)['10'];
        const each = folded(userReactionsDocuments, ...events);
        for (const [user, { reactions: put }] of states) {
          const emoji = put.map(({ reaction }) => reaction);
          assert.deepEqual(each[userReactionsKey(message, user)]?.emoji ?? [], emoji);
        }
        const counts = all === undefined || all.deleted ? [] : all.emoji;
        for (const { emoji, count, newest } of counts) {
          const having = [...states]
            .filter(([, state]) => state.reactions.some(({ reaction }) => reaction === emoji))
            .map(([user]) => user);
          assert.equal(count, having.length);
          assert.ok(newest.every((user) => having.includes(user)) && new Set(newest).size === newest.length);
        }
        const shown = new Set(counts.map(({ emoji }) => emoji));
        assert.deepEqual(
          shown,
          new Set([...states.values()].flatMap(({ reactions: put }) => put.map(({ reaction }) => reaction))),
        );
      }),
      propertyRun(200),
    );
  });
});
