import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hub } from '../../../src/gateway/sessions/hub.js';
import { lettingInMax } from '../../../src/gateway/sessions/roster.js';
import { Standpoint, type Listener, type Session } from '../../../src/gateway/sessions/session.js';
import type { SessionId, UserId } from '../../../src/kernel/ids.js';

const ignored = (): void => undefined;

const listener = (): Listener => {
  let session: Session | undefined;
  return {
    subscribed: true,
    outbox: { bufferedBytes: 0 } as unknown as Listener['outbox'], // Nothing is sent here.
    get session() {
      return session;
    },
    joined: (to) => {
      session = to;
    },
    left: () => {
      session = undefined;
    },
    gone: false,
    heardAt: 0,
    closeSoon: ignored,
    giveWay: ignored,
  };
};

describe('users who come all at once', () => {
  it('are let in so many at a time, and all in the end', async () => {
    const loading = { now: 0, most: 0 };
    const connect = async (): Promise<void> => {
      loading.now += 1;
      loading.most = Math.max(loading.most, loading.now);
      await new Promise(setImmediate);
      loading.now -= 1;
    };
    const came: unknown[] = [];
    const made = hub({
      renderer: { connect, disconnect: ignored },
      came: (caller) => void came.push(caller),
      went: ignored,
      left: ignored,
      alarm: ignored,
    });
    const everybody = Array.from({ length: 5 * lettingInMax }, (_, index) => BigInt(index));
    await Promise.all(
      everybody.map((id) => made.join(listener(), { user: id as UserId, session: id as SessionId }, new Standpoint())),
    );
    assert.deepEqual([loading.most, came.length], [lettingInMax, everybody.length]);
  });
});
