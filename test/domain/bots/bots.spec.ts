import { describe, it } from 'node:test';
import type { BotCommand } from '../../../src/domain/bots/commands.js';
import { bots, botsMax } from '../../../src/domain/bots/decide.js';
import type { BotEvent } from '../../../src/domain/bots/events.js';
import type { UserId } from '../../../src/kernel/ids.js';
import { givenFor } from '../../support/given.js';

const given = givenFor(bots);
const owner = 1n as UserId;
const ids = (...all: readonly number[]): readonly UserId[] => all.map((id) => BigInt(id) as UserId);
const about = (bot: number) => ({ owner, bot: BigInt(bot) as UserId });
const created = (bot: number, ...all: readonly number[]): BotEvent => ({
  type: 'BotCreated',
  data: { ...about(bot), bots: ids(...all) },
});
const deleted = (bot: number, ...left: readonly number[]): BotEvent => ({
  type: 'BotDeleted',
  data: { ...about(bot), bots: ids(...left) },
});
const create = (bot: number): BotCommand => ({ type: 'CreateBot', data: about(bot) });
const drop = (bot: number): BotCommand => ({ type: 'DeleteBot', data: about(bot) });
const many = Array.from({ length: botsMax }, (_, index) => 100 + index);

describe('the bots of an owner', () => {
  it('are made once each, the oldest first', () => {
    given().when(create(2)).thenOnce(created(2, 2));
    given(created(2, 2))
      .when(create(3))
      .thenOnce(created(3, 2, 3));
    given(created(2, 2), created(3, 2, 3))
      .when(create(2))
      .then();
  });

  it('are deleted once, and make room', () => {
    given(created(2, 2), created(3, 2, 3))
      .when(drop(2))
      .thenOnce(deleted(2, 3));
    given().when(drop(2)).then();
    given(created(124, ...many), deleted(100, ...many.slice(1)))
      .when(create(1))
      .thenOnce(created(1, ...many.slice(1), 1));
  });

  it('are at most twenty-five', () => {
    given(created(123, ...many.slice(1)))
      .when(create(1))
      .thenOnce(created(1, ...many.slice(1), 1));
    given(created(124, ...many))
      .when(create(1))
      .refuses('TOO_MANY');
    given(created(124, ...many))
      .when(create(100))
      .then();
  });
});
