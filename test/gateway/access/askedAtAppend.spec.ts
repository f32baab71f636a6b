import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { beforeAll } from '../../../src/kernel/event.js';
import { askedByMember } from '../../../src/gateway/access/askedAtAppend.js';
import type { Call } from '../../../src/gateway/contract/call.js';
import { costs } from '../../../src/gateway/contract/meter.js';
import type { Access } from '../../../src/gateway/contract/viewerPermissions.js';
import { reject } from '../../../src/kernel/decider.js';
import type { CommunityId } from '../../../src/kernel/ids.js';

describe('a command on a community', () => {
  it('pays for the channels of it each time that it is asked', () => {
    const spent: number[] = [];
    const channels = { length: 500 };
    const member = { permissions: 0n, rank: 0 };
    // Only these are looked at.
    const now = { community: () => ({ channels }), member: () => member } as unknown as Access['now'];
    const access = { now, upToAppends: () => undefined } as unknown as Access;
    const alone = { rightsAsOf: () => undefined };
    const call = {
      ...alone,
      caller: { user: 1n },
      meter: { spend: (units: number) => spent.push(units) },
    } as unknown as Call;
    const make = askedByMember(access, call, 1n as CommunityId)(() => reject('CONFLICT'));
    void make(beforeAll);
    void make(beforeAll);
    assert.deepEqual(spent, [5 * costs.hundredChannelsChanged, 5 * costs.hundredChannelsChanged]);
  });
});
