import { describe, it } from 'node:test';
import { identities, keyCounts } from '../../../src/domain/deployments/decide.js';
import type { IdentityEvent, KeyCountEvent } from '../../../src/domain/deployments/events.js';
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
