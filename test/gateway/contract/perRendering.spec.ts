import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { perRendering, perUser, type AlikeUsers } from '../../../src/gateway/contract/perRendering.js';
import type { Rendering } from '../../../src/gateway/contract/updates.js';
import type { UserId } from '../../../src/kernel/ids.js';

const alike = (...users: readonly [bigint, ...bigint[]]): AlikeUsers => users as readonly bigint[] as AlikeUsers;
const named = (user: UserId): Rendering => ({ update: { user: { userId: user } } });
const parity = (user: UserId): string | undefined => (user > 10n ? undefined : user % 2n === 0n ? 'even' : 'odd');

describe('deliveries per rendering', () => {
  it('tell all recipients with one key together, rendered for the first of them', () => {
    const told = perRendering([alike(1n, 3n), alike(2n), alike(5n, 7n)], parity, named);
    assert.deepEqual(told, [
      { ...named(1n as UserId), audience: [1n, 3n, 5n, 7n] },
      { ...named(2n as UserId), audience: [2n] },
    ]);
  });

  it('leave out recipients without a key', () => {
    assert.deepEqual(perRendering([alike(11n, 12n), alike(4n)], parity, named), [
      { ...named(4n as UserId), audience: [4n] },
    ]);
  });

  it('hold more recipients than a call takes arguments', () => {
    const many = Array.from({ length: 200_000 }, (_, index) => BigInt(index));
    const told = perRendering([alike(1n), many as readonly bigint[] as AlikeUsers], () => 'all', named);
    assert.deepEqual(
      told.map(({ audience }) => [...audience].length),
      [200_001],
    );
  });

  it('leave the groups as they are', () => {
    const group = alike(1n);
    perRendering([group, alike(3n)], parity, named);
    assert.deepEqual(group, [1n]);
  });

  it('are one for each recipient where everything reads differently', () => {
    assert.deepEqual(perUser([1n, 3n] as readonly bigint[] as readonly UserId[], named), [
      { ...named(1n as UserId), audience: [1n] },
      { ...named(3n as UserId), audience: [3n] },
    ]);
  });
});
