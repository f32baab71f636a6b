import { describe, it } from 'node:test';
import { dayCounts, identities, keyCounts } from '../../../src/domain/deployments/decide.js';
import type { DayCountEvent, IdentityEvent, KeyCountEvent } from '../../../src/domain/deployments/events.js';
import type { Millis } from '../../../src/kernel/ids.js';
import { givenFor } from '../../support/given.js';

const named = (deployment: string): IdentityEvent => ({
  type: 'DeploymentNamed',
  data: { deployment },
});
const givenUp = (deployment: string): IdentityEvent => ({ type: 'KeysGivenUp', data: { deployment } });
const counted = (deployment: string, keys: number): KeyCountEvent => ({
  type: 'KeysCounted',
  data: { deployment, keys },
});

describe('the name of a deployment', () => {
  const given = givenFor(identities);

  it('is written once', () => {
    given()
      .when({ type: 'NameDeployment', data: { deployment: 'a' } })
      .thenOnce(named('a'));
  });

  it('stays when another one comes', () => {
    given(named('a'))
      .when({ type: 'NameDeployment', data: { deployment: 'b' } })
      .then();
  });

  it('is another one after keys were given up, once', () => {
    given(named('a'))
      .when({ type: 'GiveUpKeys', data: { deployment: 'b' } })
      .thenOnce(givenUp('b'));
  });

  it('comes with the giving up of keys where there was none', () => {
    given()
      .when({ type: 'GiveUpKeys', data: { deployment: 'b' } })
      .thenOnce(givenUp('b'));
  });
});

describe('the number of keys', () => {
  const given = givenFor(keyCounts);
  const count = (deployment: string, keys: number) => ({ type: 'CountKeys', data: { deployment, keys } }) as const;

  it('is written when it has grown, once', () => {
    given(counted('a', 3)).when(count('a', 4)).thenOnce(counted('a', 4));
  });

  it('never falls, whichever node counts late', () => {
    given(counted('a', 3)).when(count('a', 2)).then();
  });

  it('begins anew under another name', () => {
    given(counted('a', 3)).when(count('b', 1)).thenOnce(counted('b', 1));
  });
});

describe('the days of a deployment', () => {
  const given = givenFor(dayCounts);
  const days = (count: number, clock: number): DayCountEvent => ({
    type: 'DaysCounted',
    data: { days: count, clock: clock as Millis },
  });
  const begin = (clock: number) => ({ type: 'BeginDays', data: { clock: clock as Millis } }) as const;
  const count = (after: number, clock: number) =>
    ({ type: 'CountDay', data: { after, clock: clock as Millis } }) as const;

  it('begin once', () => {
    given().when(begin(5)).thenOnce(days(0, 5));
    given(days(3, 5)).when(begin(9)).then();
  });

  it('keep the clock of a count that was ahead no longer than that', () => {
    given(days(3, 5_000)).when(begin(9)).thenOnce(days(3, 9));
  });

  it('are counted one by one, however many nodes count', () => {
    given(days(3, 5)).when(count(3, 9)).thenOnce(days(4, 9));
    given(days(4, 5)).when(count(3, 9)).then();
    given().when(count(0, 9)).then();
  });
});
