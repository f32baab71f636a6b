import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { activityTextUnitsMax, statusOf } from '../../../../src/gateway/packages/settings/wire.js';
import { UserStatusActivityType, UserStatusStatus } from '../../../../src/gen/types.js';
import { isRejection } from '../../../../src/kernel/decider.js';

const activity = { title: 'Chess', type: UserStatusActivityType.PLAYING, startTime: 1n };

const refusalOf = (change: Partial<Parameters<typeof statusOf>[0]>): string | undefined => {
  const wanted = statusOf({ status: UserStatusStatus.ONLINE, activities: [], ...change });
  return isRejection(wanted) ? wanted.rejected : undefined;
};

describe('a status', () => {
  it('is one of those that the protocol has', () => {
    for (const status of Object.values(UserStatusStatus)) assert.equal(refusalOf({ status }), undefined);
    // The number is one of a newer client, which decoding keeps.
    assert.equal(refusalOf({ status: 9 as UserStatusStatus }), 'INVALID_ARGUMENT');
  });

  it('has activities or none', () => {
    assert.equal(refusalOf({ activities: [activity, activity] }), undefined);
    assert.equal(refusalOf({ activities: [] }), undefined);
  });

  it('has activities of a known kind that are not too long', () => {
    const long = 'x'.repeat(activityTextUnitsMax + 1);
    for (const wrong of [{ title: long }, { state: long }, { type: 9 as UserStatusActivityType }])
      assert.equal(refusalOf({ activities: [{ ...activity, ...wrong }] }), 'INVALID_ARGUMENT');
  });
});
