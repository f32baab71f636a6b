import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { beforeAll, type Position } from '../../../src/kernel/event.js';
import { asOfEnd, askedByMember } from '../../../src/gateway/access/askedAtAppend.js';
import type { Call } from '../../../src/gateway/contract/call.js';
import { costs } from '../../../src/gateway/contract/meter.js';
import type { Access } from '../../../src/gateway/contract/viewerPermissions.js';
import { reject } from '../../../src/kernel/decider.js';
import type { CommunityId } from '../../../src/kernel/ids.js';

describe('a command that nobody judges at its place', () => {
  it('looks for the end of the log again whenever it is asked for on another event', async () => {
    const looked: unknown[] = [];
    const rightsAsOf = (upTo: Position | 'end') => Promise.resolve(void looked.push(upTo));
    let made = 0;
    const make = asOfEnd({ rightsAsOf }, () => {
      made += 1;
      return reject('CONFLICT');
    });
    for (const place of [beforeAll, 5n, 5n, 7n]) {
      await make(place);
      assert.deepEqual(make(place), reject('CONFLICT'), 'the rights are known then');
    }
    assert.deepEqual(looked, ['end', 'end', 'end']);
    assert.equal(made, 5);
  });
});

describe('a command in a community', () => {
  const paidFor = (type: string): readonly number[] => {
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
    const make = askedByMember(access, call, 1n as CommunityId)(() => ({ type, data: {} }));
    void make(beforeAll);
    void make(beforeAll);
    return spent;
  };

  it('that changes it pays for its channels each time that it is asked', () => {
    assert.deepEqual(paidFor('EditChannel'), [5 * costs.hundredChannelsChanged, 5 * costs.hundredChannelsChanged]);
  });

  it('that changes a member pays for none of them', () => {
    assert.deepEqual(paidFor('EditMember'), []);
  });
});
