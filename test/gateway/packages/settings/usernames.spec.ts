import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { beforeAll } from '../../../../src/kernel/event.js';
import { users } from '../../../../src/domain/users/decide.js';
import { userStream } from '../../../../src/domain/users/events.js';
import { claimMillisMax, uniqueNames } from '../../../../src/gateway/access/uniqueNames.js';
import type { Call } from '../../../../src/gateway/contract/call.js';
import { settingsRpcs } from '../../../../src/gateway/packages/settings/rpcs.js';
import { isRejection } from '../../../../src/kernel/decider.js';
import type { SessionId, UserId } from '../../../../src/kernel/ids.js';
import { kernelInMemory, type Kernel } from '../../../support/house/kernel.js';

/** Runs right before a command of this type does, once. */
type Meanwhile = { readonly before: string; readonly work: () => Promise<unknown> };

const ada = 1n as UserId;
const ben = 2n as UserId;

type CallNeeds = Pick<Kernel, 'execute' | 'ids' | 'now'> & {
  readonly monotonic: () => number;
};

const callsFrom =
  ({ execute, ids, now, monotonic }: CallNeeds) =>
  (user: UserId, meanwhile: Meanwhile | undefined): Pick<Call, 'caller' | 'now' | 'monotonic' | 'run'> => {
    let waiting = meanwhile;
    return {
      caller: { user, session: user as bigint as SessionId },
      now: now(),
      monotonic: monotonic(),
      run: async (decider, command) => {
        const asked = typeof command === 'function' ? command(beforeAll) : command;
        const { work } = 'type' in asked && waiting?.before === asked.type ? waiting : { work: undefined };
        if (work !== undefined) waiting = undefined;
        await work?.();
        return execute(decider, command, { commandId: ids.commandId(), correlationId: 'test' });
      },
    };
  };

const opened = async () => {
  const { execute, streams, sealer, ids, clock, now, append } = await kernelInMemory();
  const names = uniqueNames({ streams, sealer });
  const { settingsEditProfile } = settingsRpcs({
    names,
    streams,
    files: { made: () => Promise.reject(new Error('nothing is uploaded here')) },
    changeStatus: () => Promise.resolve(),
  });
  for (const user of [ada, ben]) {
    await append(userStream(user), { type: 'UserRegistered', data: { user, name: 'somebody', bot: false } });
  }

  let passed = 0;
  const start = clock.at;
  const callOf = callsFrom({ execute, ids, now, monotonic: () => passed });
  /** `()`, or why it is refused. */
  const edit = async (
    user: UserId,
    request: { readonly name?: string; readonly username: string },
    meanwhile?: Meanwhile,
  ): Promise<string> => {
    // Nothing else of a call is asked for here.
    const call = callOf(user, meanwhile) as Call;
    const answer = await settingsEditProfile(request, call);
    return isRejection(answer) ? answer.rejected : '()';
  };
  const take = (user: UserId, username: string, meanwhile?: Meanwhile): Promise<string> =>
    edit(user, { username }, meanwhile);
  /** A username as a release up to 0.1 gave it. */
  const former = async (user: UserId, username: string): Promise<void> => {
    const name = names.nameOf('username', username.toLowerCase());
    // Nothing else of a call is asked for here.
    await names.claim(callOf(user, undefined) as Call, name, user);
    const data = { user, username, usernameKey: name.key };
    await append(userStream(user), { type: 'UsernameChanged', data });
  };
  const carriedBy = async (user: UserId): Promise<unknown> => {
    const { state } = await streams.caughtUp(userStream(user), users);
    return state.status === 'absent' ? undefined : state.username?.name;
  };
  const pass = (millis: number): void => {
    clock.at += millis;
    passed += millis;
  };
  /** The wall clock is ahead by so much from here on. */
  const set = (ahead: number): void => {
    clock.at = start + passed + ahead;
  };
  return { take, edit, former, carriedBy, pass, set };
};

describe('a username that is changed by two requests at once', () => {
  it('is not given up by one of them after the other has come back to it', async () => {
    const { take, carriedBy } = await opened();
    await take(ada, 'day');
    const comesBack = { before: 'ReleaseName', work: () => take(ada, 'day') };
    assert.equal(await take(ada, 'night', comesBack), '()');
    assert.equal(await carriedBy(ada), 'day');
    assert.equal(await take(ben, 'day'), 'USERNAME_TAKEN');
    assert.equal(await take(ben, 'night'), '()');
  });

  it('is changed by the first of them, and the second is told', async () => {
    const { take, carriedBy } = await opened();
    const isFirst = { before: 'EditProfile', work: () => take(ada, 'night') };
    assert.equal(await take(ada, 'day', isFirst), 'CONFLICT');
    assert.equal(await carriedBy(ada), 'night');
    assert.equal(await take(ben, 'night'), 'USERNAME_TAKEN');
  });

  it('is not kept by a new spelling of it that comes after it was given up', async () => {
    const { take, carriedBy } = await opened();
    await take(ada, 'day');
    const movesOn = { before: 'EditProfile', work: () => take(ada, 'night') };
    assert.equal(await take(ada, 'Day', movesOn), 'CONFLICT');
    assert.equal(await carriedBy(ada), 'night');
    assert.equal(await take(ben, 'day'), '()');
  });
});

describe('a username that was claimed and never carried', () => {
  it('gives way after a minute', async () => {
    const { take, pass } = await opened();
    const isCutOff = { before: 'EditProfile', work: () => Promise.reject(new Error('cut off')) };
    await assert.rejects(take(ada, 'day', isCutOff), /cut off/);
    assert.equal(await take(ben, 'day'), 'USERNAME_TAKEN');
    pass(claimMillisMax);
    assert.equal(await take(ben, 'day'), '()');
    assert.equal(await take(ada, 'day'), 'USERNAME_TAKEN');
  });

  it('gives way after a minute, no sooner and no later, when the clock was ahead or is', async () => {
    for (const [before, later] of [
      [3_600_000, 0],
      [0, 3_600_000],
    ] as const) {
      const { take, pass, set } = await opened();
      set(before);
      const isCutOff = { before: 'EditProfile', work: () => Promise.reject(new Error('cut off')) };
      await assert.rejects(take(ada, 'day', isCutOff), /cut off/);
      set(later);
      pass(claimMillisMax - 1);
      assert.equal(await take(ben, 'day'), 'USERNAME_TAKEN');
      pass(1);
      assert.equal(await take(ben, 'day'), '()');
    }
  });
});

describe('a username from before the form of today', () => {
  const formerly = async () => {
    const { take, carriedBy, former } = await opened();
    await former(ada, '__x');
    return { take, carriedBy };
  };
  it('stays with its user, who may save it again and change its case', async () => {
    const { take, carriedBy } = await formerly();
    assert.equal(await take(ada, '__x'), '()');
    assert.equal(await take(ada, '__X'), '()');
    assert.equal(await carriedBy(ada), '__X');
  });
  it('is taken by nobody anew', async () => {
    const { take, carriedBy } = await formerly();
    assert.equal(await take(ben, '__x'), 'INVALID_USERNAME');
    assert.equal(await take(ada, 'night'), '()');
    assert.equal(await take(ada, '__x'), 'INVALID_USERNAME');
    assert.equal(await carriedBy(ada), 'night');
  });
});

describe('a profile that is refused', () => {
  it('claims no username', async () => {
    const { take, edit } = await opened();
    assert.equal(await edit(ada, { name: 'a\nb', username: 'day' }), 'INVALID_NAME');
    assert.equal(await take(ben, 'day'), '()');
  });
});
