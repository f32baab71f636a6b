import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemIds } from '../../src/adapters/system/ids.js';
import type { UserCommand } from '../../src/domain/users/commands.js';
import { users } from '../../src/domain/users/decide.js';
import { userStream } from '../../src/domain/users/events.js';
import { isRejection } from '../../src/kernel/decider.js';
import { executor } from '../../src/kernel/execute.js';
import { beforeSnapshotEvents, foldedStreams } from '../../src/kernel/foldedStreams.js';
import type { Millis, UserId } from '../../src/kernel/ids.js';
import { projections } from '../../src/projections/registry.js';
import { startProjections, type Projections } from '../../src/projections/runner/runner.js';
import { openStore, setting, type Setting } from './setting.js';

const user = 7n as UserId;
const stream = userStream(user);
const edits = 1_000;

describe('the snapshot of a stream that its owner lengthened', () => {
  let here: Setting;
  let following: Projections;
  let store: Awaited<ReturnType<typeof openStore>>;

  /** A process whose memory is empty; it counts the events that it reads. */
  const restarted = ({ isSnapshotRead } = { isSnapshotRead: true }) => {
    const read = { events: 0 };
    const log = {
      ...here.log,
      readStream: async (...asked: Parameters<typeof here.log.readStream>) => {
        const found = await here.log.readStream(...asked);
        read.events += found.length;
        return found;
      },
    };
    const needs = {
      log,
      codec: here.codec,
      sealer: here.sealer,
      ...(isSnapshotRead && { documents: here.reading(store).store }),
    };
    const streams = foldedStreams(needs);
    const execute = executor({ ...needs, streams, clock: { now: () => 0 as Millis }, ids: systemIds(() => 1n) });
    let commands = 0;
    const run = (command: UserCommand) => {
      commands += 1;
      return execute(users, command, { commandId: `${command.type} ${commands.toString()}`, correlationId: '' });
    };
    return { read, streams, run };
  };
  const edit = (number: number): UserCommand => ({
    type: 'EditProfile',
    data: { user, at: (number * 10_000) as Millis, color: number },
  });

  before(async () => {
    here = setting();
    store = await openStore();
    const fail = (problem: unknown): void => assert.fail(String(problem));
    const followed = { log: here.log, codec: here.codec, store, projections };
    following = await startProjections({
      ...followed,
      clock: { now: () => 0 as Millis },
      onAlarm: fail,
      onTrouble: fail,
    });
    const { run } = restarted();
    await run({ type: 'RegisterUser', data: { user, name: 'Ada', bot: false } });
    for (let number = 1; number <= edits; number += 1) await run(edit(number));
    await following.reached(await here.log.end());
  });
  after(() => following.close());

  it('spares a command after a start the reading of all the others', async () => {
    const { read, run } = restarted();
    assert.ok(!isRejection(await run(edit(edits + 1))));
    assert.equal(read.events, beforeSnapshotEvents);
  });

  it('is the state that the log alone gives, and so is one that is behind', async () => {
    await following.reached(await here.log.end());
    const behind = restarted();
    for (let number = 0; number < 5; number += 1) await behind.run(edit(edits + 100 + number));
    const [withIt, withoutIt] = [restarted(), restarted({ isSnapshotRead: false })];
    assert.deepEqual(await withIt.streams.caughtUp(stream, users), await withoutIt.streams.caughtUp(stream, users));
    assert.ok(withIt.read.events < withoutIt.read.events);
  });
});
