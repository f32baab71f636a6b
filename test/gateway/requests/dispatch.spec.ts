import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { systemTimers } from '../../../src/adapters/system/timers.js';
import { admission, noAdmission, type Admission, type Admitted } from '../../../src/gateway/requests/admission.js';
import type { WriteEnded } from '../../../src/gateway/contract/meter.js';
import { Unavailable } from '../../../src/gateway/contract/errors.js';
import type { HandlerTable } from '../../../src/gateway/contract/handlers.js';
import { nothing } from '../../../src/gen/rpcs.js';
import { reject } from '../../../src/kernel/decider.js';
import { VersionConflict, type EventLog } from '../../../src/kernel/ports/eventLog.js';
import type { MessageId, Millis, SessionId, UserId } from '../../../src/kernel/ids.js';
import { memoryEventLog } from '../../../src/adapters/eventLog/memory.js';
import { accountStream } from '../../../src/domain/accounts/events.js';
import type { ReadCommand } from '../../../src/domain/reads/commands.js';
import { reads as readRules } from '../../../src/domain/reads/decide.js';
import type { Call, RunOptions } from '../../../src/gateway/contract/call.js';
import type { DecidedAct, ActJudge } from '../../../src/gateway/contract/judge.js';
import { eventCodec } from '../../../src/kernel/codec.js';
import { plainSealer } from '../../support/plainSealer.js';
import { done } from '../../../src/gateway/contract/handlers.js';
import type { Hub } from '../../../src/gateway/sessions/hub.js';
import { selfChat } from '../../../src/kernel/chat.js';
import { deferred } from '../../../src/kernel/timing.js';
import { nodeTimers } from '../../support/nodeTimers.js';
import { initialize } from '../rig/rawClient.js';
import { stage, type Stage, type Staging } from '../rig/stage.js';

const staged = async (t: TestContext, staging?: Staging): Promise<Stage> => {
  const made = await stage(staging);
  t.after(() => made.stop());
  return made;
};

const marking = (call: Call, options?: RunOptions, message = 5n) => {
  const { user } = call.caller;
  const command: ReadCommand = {
    type: 'MarkChatRead',
    data: { user, chat: selfChat(user), message: message as MessageId },
  };
  return call.run(readRules, command, options);
};

/** The subscribers of this log are given nothing until the gate is open. */
const heldBack = (log: EventLog) => {
  const gate = deferred<undefined>();
  const subscribe: EventLog['subscribe'] = (after) => {
    const subscription = log.subscribe(after);
    return {
      async *[Symbol.asyncIterator]() {
        for await (const batch of subscription) {
          await gate.promise;
          yield batch;
        }
      },
      close: () => {
        subscription.close();
      },
    };
  };
  return { gate, following: { ...log, subscribe } };
};

const appended = (log: EventLog) => {
  const event = { id: randomUUID(), type: 'test.Happened.v1', data: Buffer.from('{}'), metadata: Buffer.from('{}') };
  return log.append('test-1', [event], 'any');
};

const answering = (handlers: Partial<HandlerTable>): Staging => ({ handlers: () => handlers });
const throwing = (error: Error): Staging => answering({ chatsGetChats: () => Promise.reject(error) });

describe('a request', () => {
  it('that has nothing to say is answered with its id and nothing else', async (t) => {
    const { signedIn } = await staged(t, answering({ chatsSetTyping: () => Promise.resolve(nothing) }));
    const client = await signedIn(1n, 11n);
    client.ask(6, 'chatsSetTyping', {});
    assert.deepEqual(await client.result(6), { reqId: 6 });
  });

  it('that needs a session is refused without one', async (t) => {
    const client = await (await staged(t)).client();
    client.ask(1, 'coreInitialize', initialize);
    client.ask(5, 'chatsGetChats', {});
    const { error } = await client.result(5);
    assert.deepEqual(error, { errorCode: 401, errorMessage: 'sign in or authorize first' });
  });

  it('that comes right behind Authorize waits for it', async (t) => {
    const { client } = await staged(t, answering({ chatsGetChats: () => Promise.resolve({ chats: {} }) }));
    const hasty = await client();
    hasty.ask(1, 'coreInitialize', initialize);
    hasty.ask(2, 'authAuthorize', { token: '1 11' });
    hasty.ask(3, 'chatsGetChats', {});
    assert.ok((await hasty.result(3)).chats);
  });

  it('that comes right behind a second Authorize is of the session that this one opened', async (t) => {
    const callers: (bigint | undefined)[] = [];
    const noting: Partial<HandlerTable> = {
      chatsGetChats: (_, call) => {
        callers.push(call.caller.session);
        return Promise.resolve({ chats: {} });
      },
    };
    const { signedIn } = await staged(t, answering(noting));
    const client = await signedIn(1n, 11n);
    client.ask(3, 'authAuthorize', { token: '2 22' });
    client.ask(4, 'chatsGetChats', {});
    assert.ok((await client.result(4)).chats);
    assert.deepEqual(callers, [22n]);
  });

  describe('that waits for the one before it', () => {
    const waiting = async (t: TestContext) => {
      let open = (): void => undefined;
      const opened = new Promise<void>((resolve) => {
        open = resolve;
      });
      let heard = (): void => undefined;
      const carriedOut = new Promise<void>((resolve) => {
        heard = resolve;
      });
      const served: string[] = [];
      const made = await staged(
        t,
        answering({
          chatsSetTyping: async () => {
            await opened;
            return nothing;
          },
          chatsMarkChatRead: (_, { caller }) => {
            served.push(`${caller.user.toString()} ${caller.session.toString()}`);
            heard();
            return Promise.resolve(nothing);
          },
        }),
      );
      const client = await made.signedIn(1n, 11n);
      client.ask(5, 'chatsSetTyping', {});
      client.ask(6, 'chatsMarkChatRead', {});
      await client.settled();
      return { ...made, client, open, served, carriedOut };
    };

    it('is refused when its session is revoked meanwhile', async (t) => {
      const { client, hub, open, served } = await waiting(t);
      hub.revoked(11n as SessionId);
      open();
      assert.equal((await client.result(6)).error?.errorCode, 401);
      assert.equal(await client.closed, 1008);
      assert.deepEqual(served, []);
    });

    it('is carried out when its client does not wait for the answer', async (t) => {
      const { client, hub, open, served, carriedOut } = await waiting(t);
      await client.leave();
      while (hub.users() > 0) await turn();
      open();
      await carriedOut;
      assert.deepEqual(served, ['1 11']);
    });
  });

  describe('whose session is revoked', () => {
    const caller = { user: 1n as UserId, session: 11n as SessionId };
    it('after its client went away is not carried out, nor is any that the client had sent', async (t) => {
      const [opened, reached] = [deferred<undefined>(), deferred<undefined>()];
      const served: string[] = [];
      const { signedIn, hub } = await staged(
        t,
        answering({
          chatsSetTyping: () => opened.promise.then(() => nothing),
          chatsMarkChatRead: () => Promise.resolve(void served.push('written')).then(() => nothing),
          chatsGetChats: () => Promise.resolve(void served.push('read')).then(() => ({ chats: {} })),
          // It needs no session, so it tells when those before it had their turn.
          authLookupInvite: () => {
            reached.resolve(undefined);
            return Promise.resolve(reject('INVITE_NOT_FOUND'));
          },
        }),
      );
      const client = await signedIn(caller.user, caller.session);
      client.ask(5, 'chatsSetTyping', {});
      client.ask(6, 'chatsMarkChatRead', {});
      client.ask(7, 'chatsGetChats', {});
      client.ask(8, 'authLookupInvite', { code: 'x' });
      await client.settled();
      await client.leave();
      while (hub.users() > 0) await turn();
      hub.revoked(caller.session);
      opened.resolve(undefined);
      await reached.promise;
      assert.deepEqual(served, []);
    });

    it('while it waits writes nothing', async (t) => {
      const [begun, opened] = [deferred<undefined>(), deferred<undefined>()];
      const handlers: Partial<HandlerTable> = {
        chatsMarkChatRead: async (_, call) => {
          begun.resolve(undefined);
          await opened.promise;
          return done(await marking(call));
        },
      };
      const { signedIn, hub, log } = await staged(t, answering(handlers));
      const client = await signedIn(caller.user, caller.session);
      client.ask(5, 'chatsMarkChatRead', {});
      await begun.promise;
      hub.revoked(caller.session);
      opened.resolve(undefined);
      assert.equal((await client.result(5)).error?.errorCode, 401);
      assert.equal(await log.end(), 0n);
    });

    it('by an append that is not folded yet writes nothing', async (t) => {
      const here: { hub?: Hub } = {};
      const streams: string[] = [];
      // The fan-out comes to the revocation when somebody waits for it.
      const folding = async (): Promise<void> => {
        for (let turns = 0; turns < 20; turns += 1) await turn();
        here.hub?.revoked(caller.session);
      };
      const folded = (asked: readonly string[]): Promise<void> | undefined => {
        if (streams.length > 0) return undefined;
        streams.push(...asked);
        return folding();
      };
      const handlers: Partial<HandlerTable> = { chatsMarkChatRead: async (_, call) => done(await marking(call)) };
      const made = await staged(t, { ...answering(handlers), unfolded: { folded } });
      here.hub = made.hub;
      const client = await made.signedIn(caller.user, caller.session);
      client.ask(5, 'chatsMarkChatRead', {});
      assert.equal((await client.result(5)).error?.errorCode, 401);
      assert.deepEqual(streams, [accountStream(caller.user)]);
      assert.equal(await made.log.end(), 0n);
    });
  });

  it('tells its meter when it begins to write, and where its last event is', async (t) => {
    const told: string[] = [];
    const writing = (): WriteEnded => {
      told.push('begins');
      return (upTo) => told.push(upTo?.toString() ?? 'nothing');
    };
    const own = noAdmission();
    const admit: Admission['admit'] = (asker, asking) => {
      const verdict = own.admit(asker, asking) as Admitted;
      return { ...verdict, meter: { ...verdict.meter, writing } };
    };
    const handlers: Partial<HandlerTable> = { chatsMarkChatRead: async (_, call) => done(await marking(call)) };
    const made = await staged(t, { ...answering(handlers), admission: { ...own, admit } });
    const client = await made.signedIn(1n, 11n);
    for (const id of [5, 6]) {
      client.ask(id, 'chatsMarkChatRead', {});
      await client.result(id);
    }
    assert.deepEqual(told, ['begins', (await made.log.end()).toString(), 'begins', 'nothing']);
  });

  it('that writes is refused while the fan-out is behind, and served once it follows again; reads go on', async (t) => {
    const timers = nodeTimers();
    const log = memoryEventLog({ now: () => 0 as Millis });
    const { gate, following } = heldBack(log);
    const made = await staged(t, {
      ...answering({
        chatsMarkChatRead: async (_, call) => done(await marking(call)),
        chatsGetChats: () => Promise.resolve({ chats: {} }),
      }),
      log: following,
      timers,
    });
    const client = await made.signedIn(1n, 11n);
    await appended(log);
    await timers.passUntil(made.lag.isBehind, 10_000);
    client.ask(5, 'chatsMarkChatRead', {});
    const { error } = await client.result(5);
    assert.equal(error?.errorCode, 503);
    client.ask(6, 'chatsGetChats', {});
    assert.ok((await client.result(6)).chats);
    gate.resolve(undefined);
    await made.fanOut.reached(await log.end());
    client.ask(7, 'chatsMarkChatRead', {});
    assert.equal((await client.result(7)).error, undefined);
  });

  it('that sends where nodes share the log says as of when, and is refused when the right had gone', async (t) => {
    const [log, asked] = [memoryEventLog({ now: () => 0 as Millis }), [] as DecidedAct[]];
    await appended(log);
    const refusals = [undefined, Promise.resolve('MISSING_PERMISSION' as const)];
    const refusalOf: ActJudge['refusalOf'] = (message) => {
      asked.push(message);
      return refusals.shift();
    };
    const chat = selfChat(1n as UserId);
    let marked = 5n;
    const chatsMarkChatRead: HandlerTable['chatsMarkChatRead'] = async (_, call) =>
      done(await marking(call, { rights: { chat, slowmodeSeconds: 5 } }, (marked += 1n)));
    const { signedIn } = await staged(t, { ...answering({ chatsMarkChatRead }), log, judge: { refusalOf } });
    const client = await signedIn(1n, 11n);
    client.ask(5, 'chatsMarkChatRead', {});
    assert.equal((await client.result(5)).error, undefined);
    client.ask(6, 'chatsMarkChatRead', {});
    assert.equal((await client.result(6)).error?.errorCode, 403);
    const [, stored] = await log.readAll({ limit: 2 });
    const { asOf, slowmode } = eventCodec([], plainSealer()).metadata(stored ?? assert.fail('nothing was written'));
    assert.deepEqual([asOf, slowmode], ['1', '5']);
    assert.deepEqual(asked[0]?.metadata, { asOf: '1', slowmode: '5', session: '11' });
  });

  it('with a bad token is refused, and the connection is closed', async (t) => {
    const client = await (await staged(t)).client();
    client.ask(0, 'coreInitialize', initialize);
    client.ask(9, 'authAuthorize', { token: 'bad' });
    assert.equal((await client.result(9)).error?.errorCode, 403);
    assert.equal(await client.closed, 1008);
  });

  it('that is refused hears the reason, its detail and when to try again', async (t) => {
    const slow = { ...reject('SLOWMODE', 'one message each minute'), retryAfterSeconds: 41.2 };
    const { signedIn } = await staged(t, answering({ chatsGetChats: () => Promise.resolve(slow) }));
    const client = await signedIn(1n, 11n);
    client.ask(5, 'chatsGetChats', {});
    const { error } = await client.result(5);
    assert.equal(error?.errorCode, 429);
    assert.equal(error.errorMessage, 'slow mode is on in this channel: one message each minute (retry after 42 s)');
  });

  const failures = [
    { what: 'a bug', error: new Error('boom'), code: 500, logged: 1 },
    { what: 'a lost race', error: new VersionConflict('user-1', 3n, 4n), code: 409, logged: 0 },
    { what: 'something that is away', error: new Unavailable('the read models are behind'), code: 503, logged: 0 },
  ];
  for (const { what, error, code, logged } of failures) {
    it(`that meets ${what} is answered with ${code.toString()} and a trace id`, async (t) => {
      const made = await staged(t, throwing(error));
      const client = await made.signedIn(1n, 11n);
      client.ask(5, 'chatsGetChats', {});
      const result = await client.result(5);
      assert.equal(result.error?.errorCode, code);
      const lines = made.logged.filter((line) => line['traceId'] === result.traceId);
      assert.equal(lines.length, logged);
      assert.doesNotMatch(JSON.stringify(result), /boom/);
    });
  }

  it('whose answer would be over 1 MiB is refused', async (t) => {
    const icon = new Uint8Array(1_048_570);
    const handlers = answering({ mediaDownloadFilePart: () => Promise.resolve({ filePart: { data: icon } }) });
    const client = await (await staged(t, handlers)).signedIn(1n, 11n);
    client.ask(5, 'mediaDownloadFilePart', {});
    assert.equal((await client.result(5)).error?.errorCode, 413);
  });

  it('is answered even when its handler gives what cannot be encoded', async (t) => {
    // A number where the wire has an id, as untyped code could give.
    const wrong = { sentMessage: { messageId: 5 as unknown as MessageId } };
    const handlers = answering({ messagesSendMessage: () => Promise.resolve(wrong) });
    const client = await (await staged(t, handlers)).signedIn(1n, 11n);
    client.ask(5, 'messagesSendMessage', {});
    assert.equal((await client.result(5)).error?.errorCode, 500);
  });
});

describe('a handshake that is refused for now', () => {
  const away = (): Promise<never> => Promise.reject(new Unavailable('the log is away'));

  it('ends the connection, because some clients neither ask again nor leave', async (t) => {
    const { client } = await staged(t, answering({ authAuthorize: away }));
    const hopeful = await client();
    hopeful.ask(1, 'coreInitialize', initialize);
    hopeful.ask(2, 'authAuthorize', { token: '1 11' });
    assert.equal((await hopeful.result(2)).error?.errorCode, 503);
    assert.equal(await hopeful.closed, 1013);
  });

  it('does so also when it was not even introduced', async (t) => {
    const { client } = await staged(t, answering({ coreInitialize: away }));
    const hopeful = await client();
    hopeful.ask(1, 'coreInitialize', initialize);
    assert.equal((await hopeful.result(1)).error?.errorCode, 503);
    assert.equal(await hopeful.closed, 1013);
  });

  it('does not when there is a session already', async (t) => {
    const client = await (await staged(t, answering({ coreInitialize: away }))).client();
    client.ask(2, 'authAuthorize', { token: '1 11' });
    client.ask(3, 'coreInitialize', initialize);
    assert.equal((await client.result(3)).error?.errorCode, 503);
    await client.settled();
  });
});

describe('what one connection sends', () => {
  it('is begun in order, and answered as it gets done', async (t) => {
    const begun: string[] = [];
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { signedIn } = await staged(
      t,
      answering({
        messagesSendMessage: async ({ message }) => {
          begun.push(message);
          if (message === '0') await held;
          return { sentMessage: { messageId: 1n as MessageId } };
        },
      }),
    );
    const client = await signedIn(1n, 11n);
    for (let index = 0; index < 20; index += 1) {
      client.ask(100 + index, 'messagesSendMessage', { message: index.toString() });
    }
    await client.result(119);
    assert.deepEqual(begun, [...Array(20).keys()].map(String));
    assert.equal(
      client.received.some(({ result }) => result?.reqId === 100),
      false,
    );
    release();
    await client.result(100);
  });
});

describe('a limit that all nodes share', () => {
  it('refuses what is too much, says when to come back, and leaves the rest alone', async (t) => {
    const taken: string[] = [];
    const refusing = admission({
      timers: systemTimers,
      shared: {
        take: ({ name }, of) => {
          taken.push(`${name} ${of}`);
          return name === 'creation' ? { allowed: false, retryAfterSeconds: 3 } : { allowed: true };
        },
      },
      limited: () => undefined,
    });
    const { signedIn } = await staged(t, {
      admission: refusing,
      ...answering({ chatsSetTyping: () => Promise.resolve(nothing) }),
    });
    const client = await signedIn(1n, 11n);
    client.ask(5, 'communitiesCreateCommunity', {});
    client.heartbeat();
    client.ask(6, 'chatsSetTyping', {});
    const { error } = await client.result(5);
    assert.deepEqual(error, { errorCode: 429, errorMessage: 'too many requests (retry after 3 s)' });
    assert.deepEqual(await client.result(6), { reqId: 6 });
    assert.deepEqual(taken, ['creation 11']);
  });
});
