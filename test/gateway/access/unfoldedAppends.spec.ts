import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { memoryEventLog } from '../../../src/adapters/eventLog/memory.js';
import { communityStream } from '../../../src/domain/communities/events.js';
import { unfoldedAppends } from '../../../src/gateway/access/unfoldedAppends.js';
import { waiters } from '../../../src/gateway/updates/waiters.js';
import type { Position } from '../../../src/kernel/event.js';
import type { CommunityId, Millis } from '../../../src/kernel/ids.js';
import { VersionConflict, type EventLog, type ExpectedRevision } from '../../../src/kernel/ports/eventLog.js';
import { holding } from '../../support/house/holding.js';

const stream = communityStream(1n as CommunityId);

/** A log that stores what it is given when it is released, and a fan-out that goes where the test says. */
const standing = () => {
  const held = holding(memoryEventLog({ now: () => 0 as Millis }));
  const fanOut = waiters(() => new Error('closed'));
  const unfolded = unfoldedAppends(() => fanOut);
  const log: EventLog = unfolded.noting(held);
  const append = (to = stream, expected: ExpectedRevision = 'any'): Promise<Position> => {
    const event = { id: randomUUID(), type: 'test.Happened.v1', data: Buffer.from('{}'), metadata: Buffer.from('{}') };
    return log.append(to, [event], expected).then(({ position }) => position);
  };
  return { append, release: () => held.held.shift()?.(), fanOut, folded: () => unfolded.folded([stream]) };
};

describe('a change of rights that this node has handed to the log', () => {
  it('is waited for from that tick on, until it is durable and folded', async () => {
    const { append, release, fanOut, folded } = standing();
    assert.equal(folded(), undefined);
    const appending = append();
    const order: string[] = [];
    const waited = folded()?.then(() => order.push('folded'));
    assert.ok(waited !== undefined);
    release();
    const position = await appending;
    assert.ok(folded() !== undefined, 'it is durable, and nobody has folded it');
    order.push('advancing');
    fanOut.advance(position);
    await waited;
    assert.deepEqual(order, ['advancing', 'folded']);
    assert.equal(folded(), undefined);
  });

  it('is not waited for once the log has refused it, nor by requests about something else', async () => {
    const { append, release, folded } = standing();
    const elsewhere = append(communityStream(2n as CommunityId));
    assert.equal(folded(), undefined);
    release();
    await elsewhere;
    const appending = append(stream, 7n);
    const waited = folded();
    assert.ok(waited !== undefined);
    release();
    await assert.rejects(appending, VersionConflict);
    await waited;
    assert.equal(folded(), undefined);
  });
});
