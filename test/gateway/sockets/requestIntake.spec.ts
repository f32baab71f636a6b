import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { refusalsMax } from '../../../src/gateway/requests/accounts.js';
import {
  admission,
  noAdmission,
  type Admission,
  type AdmissionVerdict,
} from '../../../src/gateway/requests/admission.js';
import { reject } from '../../../src/kernel/decider.js';
import { budgetTable } from '../../../src/gateway/requests/budgets.js';
import { freeMeter } from '../../../src/gateway/contract/meter.js';
import {
  begunPerRoundMax,
  inFlightMax,
  RequestIntake,
  type IntakeNeeds,
  type IntakeOwner,
} from '../../../src/gateway/sockets/requestIntake.js';
import { unreadMillisMax } from '../../../src/gateway/sockets/paidReading.js';
import { receivedBytes } from '../../../src/gateway/sockets/receivedBytes.js';
import { nothing } from '../../../src/gen/rpcs.js';
import { deferred } from '../../../src/kernel/timing.js';
import { handTimers, type HandTimers } from '../../support/handTimers.js';
import { initialize, type RawClient } from '../rig/rawClient.js';
import { stage, type Stage } from '../rig/stage.js';

const admitted: AdmissionVerdict = {
  kind: 'admitted',
  afterMillis: 0,
  turn: () => undefined,
  meter: freeMeter,
  end: () => undefined,
};
const refused = {
  kind: 'refused',
  rejection: { rejected: 'RATE_LIMITED', retryAfterSeconds: 30 },
  pauseMillis: 30_000,
  closes: false,
} as const;

const atOnce = { mayReadOn: () => true, leave: () => undefined };
const anyTime: IntakeNeeds['reading'] = { users: atOnce, strangers: atOnce };

type Staged = Stage & { readonly timers: HandTimers; readonly typed: (string | undefined)[] };

/** A server whose admission the test decides on, for typing alone. */
const staged = async (t: TestContext, verdictOf: (asked: number) => AdmissionVerdict): Promise<Staged> => {
  let asked = 0;
  const admit: Admission['admit'] = (_, { name }) => (name === 'chatsSetTyping' ? verdictOf((asked += 1)) : admitted);
  return withAdmission(t, handTimers(), { ...noAdmission(), admit });
};

const withAdmission = async (t: TestContext, timers: HandTimers, made: Admission): Promise<Staged> => {
  const typed: (string | undefined)[] = [];
  const server = await stage({
    timers,
    admission: made,
    handlers: () => ({
      chatsSetTyping: ({ action }) => {
        typed.push(action?.toString());
        return Promise.resolve(nothing);
      },
      chatsMarkChatRead: () => Promise.resolve(nothing),
    }),
  });
  t.after(() => server.stop());
  return { ...server, timers, typed };
};

/** The server has read all that the client sent before, or will not read it. */
const roundTrip = async (server: Stage): Promise<void> => {
  const other = await server.signedIn(9n, 99n);
  await other.settled();
  await other.leave();
};

const hasPonged = (client: RawClient): { readonly come: Promise<unknown>; readonly has: () => boolean } => {
  let has = false;
  const come = once(client.socket, 'pong').then(() => (has = true));
  client.socket.ping();
  return { come, has: () => has };
};

const answered = ({ received }: RawClient): readonly (number | undefined)[] =>
  received.flatMap(({ result }) => result?.reqId ?? []).filter((id) => id >= 10);

/** A stage whose handlers refuse, once they are let. */
const refusing = async (t: TestContext, letting: Promise<void>): Promise<Stage> => {
  const server = await stage({
    admission: admission({
      timers: handTimers(),
      shared: { take: () => ({ allowed: true }) },
      limited: () => undefined,
    }),
    handlers: () => ({ usersGetProfile: () => letting.then(() => reject('RATE_LIMITED')) }),
  });
  t.after(() => server.stop());
  return server;
};

describe('a client whose edits or tries of a password are refused', () => {
  it('is closed once, however many of its requests are refused at once', async (t) => {
    let over = (): void => undefined;
    const server = await refusing(t, new Promise<void>((resolve) => (over = resolve)));
    const client = await server.signedIn(1n, 11n);
    const others = await Promise.all([12n, 13n].map((session) => server.signedIn(1n, session)));
    for (const one of [client, ...others]) {
      for (let tries = 0; tries < inFlightMax; tries += 1) one.ask(10 + tries, 'usersGetProfile', {});
    }
    await roundTrip(server);
    over();
    await Promise.race([client, ...others].map(({ closed }) => closed));
    assert.match(await server.metrics.text(), /osmium_refusal_closes_total [1-3]\n/);
  });

  it('is read on, and closed once it was refused too often', async (t) => {
    const server = await refusing(t, Promise.resolve());
    const client = await server.signedIn(1n, 11n);
    for (let tries = 0; tries < refusalsMax; tries += 1) client.ask(10 + tries, 'usersGetProfile', {});
    await client.result(9 + refusalsMax);
    await client.settled();
    client.ask(1_000, 'usersGetProfile', {});
    assert.equal(await client.closed, 1008);
    assert.equal((await client.result(1_000)).error?.errorCode, 429);
  });
});

describe('a request that has to wait', () => {
  it('keeps its place, and its connection is not read meanwhile', async (t) => {
    const server = await staged(t, (asked) => (asked === 1 ? { ...admitted, afterMillis: 500 } : admitted));
    const client = await server.signedIn(1n, 11n);
    client.ask(10, 'chatsSetTyping', { action: 1 });
    client.ask(11, 'chatsMarkChatRead', {});
    await roundTrip(server);
    const pong = hasPonged(client);
    await roundTrip(server);
    assert.deepEqual([answered(client), pong.has()], [[], false]);
    server.timers.pass(500);
    await Promise.all([client.result(11), pong.come]);
    assert.deepEqual(answered(client), [10, 11]);
  });

  it('waits for its turn as well after its time', async (t) => {
    const turn = deferred<undefined>();
    const waits = { ...admitted, afterMillis: 500, turn: () => turn.promise };
    const server = await staged(t, (asked) => (asked === 1 ? waits : admitted));
    const client = await server.signedIn(1n, 11n);
    client.ask(10, 'chatsSetTyping', {});
    await roundTrip(server);
    server.timers.pass(500);
    await roundTrip(server);
    assert.deepEqual(answered(client), []);
    turn.resolve(undefined);
    await client.result(10);
  });

  it('waits for a long read of the same user, and begins after it', async (t) => {
    let over = (): void => undefined;
    const until = new Promise<void>((resolve) => (over = resolve));
    const server = await staged(t, (asked) => (asked === 1 ? { kind: 'busy', until } : admitted));
    const client = await server.signedIn(1n, 11n);
    client.ask(10, 'chatsSetTyping', {});
    await roundTrip(server);
    assert.deepEqual(answered(client), []);
    over();
    await client.result(10);
  });

  it('is given up with its connection, also in the wait for its turn', async (t) => {
    const [turn, ended] = [deferred<undefined>(), deferred<undefined>()];
    const end = (): void => {
      ended.resolve(undefined);
    };
    const server = await staged(t, () => ({ ...admitted, afterMillis: 500, turn: () => turn.promise, end }));
    const client = await server.signedIn(1n, 11n);
    client.ask(10, 'chatsSetTyping', {});
    await roundTrip(server);
    server.timers.pass(500);
    client.socket.terminate();
    await ended.promise;
    turn.resolve(undefined);
    await roundTrip(server);
    assert.deepEqual(server.typed, []);
  });

  it('is given up with its connection', async (t) => {
    const ended = new Promise<void>((end) => {
      void staged(t, () => ({ ...admitted, afterMillis: 500, end })).then(async (server) => {
        const client = await server.signedIn(1n, 11n);
        client.ask(10, 'chatsSetTyping', {});
        await roundTrip(server);
        client.socket.terminate();
      });
    });
    await ended;
  });
});

describe('a request that is refused', () => {
  it('is answered once, and what comes behind it is carried out after the time', async (t) => {
    const server = await staged(t, (asked) => (asked === 1 ? { ...refused, pauseMillis: 3_000 } : admitted));
    const client = await server.signedIn(1n, 11n);
    for (const id of [10, 11, 12]) client.ask(id, 'chatsSetTyping', { action: 1 });
    const { error } = await client.result(10);
    assert.deepEqual(error, { errorCode: 429, errorMessage: 'too many requests (retry after 30 s)' });
    await roundTrip(server);
    assert.deepEqual([answered(client), server.typed.length], [[10], 0]);
    server.timers.pass(3_000);
    await client.result(12);
    assert.deepEqual(answered(client), [10, 11, 12]);
  });

  it('does not keep pings from being answered for longer than ten seconds', async (t) => {
    const waits = { ...admitted, afterMillis: 60_000 } as const;
    const server = await staged(t, () => waits);
    const client = await server.signedIn(1n, 11n);
    client.ask(10, 'chatsSetTyping', {});
    await roundTrip(server);
    for (let glance = 0; glance < 3; glance += 1) {
      const pong = hasPonged(client);
      await roundTrip(server);
      server.timers.pass(unreadMillisMax - 1);
      await roundTrip(server);
      assert.equal(pong.has(), false);
      server.timers.pass(1);
      await pong.come;
      for (let round = 0; round < 4; round += 1) await turn();
    }
    assert.deepEqual(answered(client), []);
  });

  it('lets no more be read while it waits than may wait, however much has come', () => {
    const timers = handTimers();
    const reading: string[] = [];
    const setReading: IntakeOwner['setReading'] = (now) => void reading.push(now);
    const unanswered = new Promise<never>(() => undefined);
    const dispatch = { answer: () => unanswered, refuse: () => unanswered };
    // Nothing else of a connection is asked for.
    const owner = { session: undefined, isTaking: true, setReading } as unknown as IntakeOwner;
    const waitingBytesMax = 65_536;
    const received = receivedBytes({ timers, receivedBytesPerConnectionMax: waitingBytesMax });
    const intake = new RequestIntake(
      { admission: { ...noAdmission(), admit: () => refused }, dispatch, timers, received, reading: anyTime },
      owner,
    );
    const flood = (): void => {
      for (let sent = 0; sent < waitingBytesMax / 4 + 10; sent += 1) intake.take(Uint8Array.of(0x08, 0x0a));
    };
    intake.take(Uint8Array.of(0x08, 0x0a));
    timers.pass(unreadMillisMax - 1);
    intake.take(Uint8Array.of(0x08, 0x0a));
    assert.deepEqual(reading, ['off']);
    timers.pass(1);
    flood();
    assert.deepEqual(reading, ['off', 'on', 'off']);
    timers.pass(unreadMillisMax);
    assert.deepEqual(reading, ['off', 'on', 'off']);
    assert.ok(intake.reading.receivedBytes >= waitingBytesMax);
    intake.close();
    assert.equal(received.count(), 2 * intake.inFlight);
  });

  it('begins what waited for its answers to be taken, and reads on, when they were taken at once', async () => {
    const reading: string[] = [];
    const setReading: IntakeOwner['setReading'] = (now) => void reading.push(now);
    let begun = 0;
    const answer = () => {
      begun += 1;
      return new Promise<never>(() => undefined);
    };
    // Nothing else of a connection is asked for.
    const owner = { session: undefined, isTaking: false, setReading };
    const intake = new RequestIntake(
      {
        admission: noAdmission(),
        dispatch: { answer, refuse: answer },
        timers: handTimers(),
        received: receivedBytes({ timers: handTimers() }),
        reading: anyTime,
      },
      owner as unknown as IntakeOwner,
    );
    intake.take(Uint8Array.of(0x08, 0x0a));
    assert.equal(begun, 0);
    owner.isTaking = true;
    intake.takesAgain();
    await turn();
    assert.deepEqual({ begun, reading }, { begun: 1, reading: ['off', 'on'] });
    intake.close();
  });

  it('closes with 1008 where it is one too many, and the answer goes out first', async (t) => {
    const server = await staged(t, () => ({ ...refused, closes: true }));
    const client = await server.signedIn(1n, 11n);
    client.ask(10, 'chatsSetTyping', {});
    assert.equal((await client.result(10)).error?.errorCode, 429);
    assert.equal(await client.closed, 1008);
    assert.match(await server.metrics.text(), /osmium_refusal_closes_total 1/);
  });
});

describe('requests that come at once', () => {
  it(`begin ${begunPerRoundMax.toString()} at a time, and then others have their turn`, async (t) => {
    const begun: number[] = [];
    let inRound = 0;
    const server = await staged(t, () => {
      inRound += 1;
      return { ...refused, pauseMillis: 0 };
    });
    const endRound = (): void => {
      begun.push(inRound);
      inRound = 0;
      if (begun.reduce((sum, count) => sum + count, 0) < 500) setImmediate(endRound);
    };
    setImmediate(endRound);
    const client = await server.signedIn(1n, 11n);
    for (let id = 10; id < 510; id += 1) client.ask(id, 'chatsSetTyping', {});
    await client.result(509);
    assert.ok(Math.max(...begun) <= begunPerRoundMax, begun.join(' '));
  });

  it('behind Authorize count for the session that it gives, and heartbeats for nothing', async (t) => {
    const counted: string[] = [];
    const admit: Admission['admit'] = ({ session }, { name }) => {
      counted.push(`${name} ${session?.caller.session.toString() ?? 'nobody'}`);
      return admitted;
    };
    const server = await withAdmission(t, handTimers(), { ...noAdmission(), admit });
    const client = await server.client();
    client.heartbeat();
    client.ask(1, 'coreInitialize', initialize);
    client.ask(2, 'authAuthorize', { token: '1 11' });
    client.ask(10, 'chatsSetTyping', {});
    client.heartbeat();
    await client.result(10);
    assert.deepEqual(counted, ['coreInitialize nobody', 'authAuthorize nobody', 'chatsSetTyping 11']);
  });

  it('are none as pings: a flood of them begins and costs nothing, and each is answered', async (t) => {
    const asked: string[] = [];
    const admit: Admission['admit'] = (_, { name }) => {
      asked.push(name);
      return admitted;
    };
    const server = await withAdmission(t, handTimers(), { ...noAdmission(), admit });
    const client = await server.signedIn(1n, 11n);
    const before = asked.length;
    // The library closes where too many pongs wait, so each ping waits for the pong before it.
    for (let sent = 0; sent < 1_000; sent += 1) await hasPonged(client).come;
    assert.equal(asked.length, before);
    client.ask(10, 'chatsSetTyping', {});
    assert.deepEqual(await client.result(10), { reqId: 10 });
  });

  it('as a flood of bad forms are answered as far as the budget goes, and the connection stays', async (t) => {
    const timers = handTimers();
    const shared = { take: () => ({ allowed: true }) as const };
    const made = admission({ timers, shared, limited: () => undefined });
    const server = await withAdmission(t, timers, made);
    const client = await server.client();
    const flood = budgetTable.connection.burst + 2_000;
    for (let sent = 0; sent < flood; sent += 1) client.send(Uint8Array.of(0x08, 0x0a));
    const answers = async (): Promise<number> => {
      for (let before = -1; before < client.received.length;) {
        before = client.received.length;
        await roundTrip(server);
      }
      return client.received.length;
    };
    const atOnce = await answers();
    assert.ok(atOnce < budgetTable.connection.burst + 100, atOnce.toString());
    timers.pass(1_000);
    assert.ok((await answers()) > atOnce);
    assert.equal(client.socket.readyState, client.socket.OPEN);
  });
});
