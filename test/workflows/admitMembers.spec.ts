import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { communities } from '../../src/domain/communities/decide.js';
import { invites } from '../../src/domain/invites/decide.js';
import { joiningId, members } from '../../src/domain/members/decide.js';
import type { MemberEvent } from '../../src/domain/members/events.js';
import { channelChat } from '../../src/kernel/chat.js';
import { readEvents } from '../../src/kernel/codec.js';
import type { EventOf } from '../../src/kernel/event.js';
import type { ChannelId, CommunityId, UserId } from '../../src/kernel/ids.js';
import { admitMembers } from '../../src/workflows/admitMembers.js';
import { pauseMillisMax, startWorkflow, type WorkflowAlarm } from '../../src/workflows/runner.js';
import { kernelInMemory, type Kernel } from '../support/house/kernel.js';
import { needsOn } from './needs.js';

const ada = 1n as UserId;
const bob = 2n as UserId;
const community = 100n as CommunityId;
const general = 201n as ChannelId;
const code = 'abcdefgh0123';
const invite = 'its hash';

const founding = (id = community) =>
  ({ type: 'CreateCommunity', data: { community: id, general, name: 'Chess', by: ada } }) as const;
const cause = (commandId: string) => ({ commandId, correlationId: 'test' });

/** What a crash leaves: a founding and a use of an invite, each without what should have followed. */
const crashed = async (): Promise<Kernel> => {
  const kernel = await kernelInMemory();
  const { execute, now } = kernel;
  const chat = channelChat(community, general);
  await execute(communities, founding(), cause('found'));
  const made = { invite, code, chat, creator: ada, creatorJoining: 1, at: now(), maxUses: 1 };
  await execute(invites, { type: 'CreateChatInvite', data: made }, cause('make'));
  const use = { invite, user: bob, joining: 1, at: now() };
  await execute(invites, { type: 'UseInvite', data: use }, cause('use'));
  return kernel;
};

/** The next so many joinings in the log, as they come. */
const joinings = async (
  { log, codec, sealer }: Kernel,
  count: number,
): Promise<readonly EventOf<MemberEvent, 'MemberJoined'>['data'][]> => {
  const found: EventOf<MemberEvent, 'MemberJoined'>['data'][] = [];
  const subscription = log.subscribe(0n);
  for await (const batch of subscription) {
    const joined = batch.filter((stored) => codec.factOf(stored) === 'MemberJoined');
    const events = (await readEvents(codec, sealer, joined)) as readonly EventOf<MemberEvent, 'MemberJoined'>[];
    found.push(...events.map(({ data }) => data));
    if (found.length >= count) break;
  }
  subscription.close();
  return found;
};

const adaIn = (id = community) => ({ community: id, user: ada, via: 'founding', joining: 1 });
const bobIn = { community, user: bob, via: 'invite', invite, joining: 1 };

describe('admitMembers', () => {
  it('lets in whom a crash has left outside', async () => {
    const kernel = await crashed();
    const running = startWorkflow(admitMembers, needsOn(kernel));
    assert.deepEqual(await joinings(kernel, 2), [adaIn(), bobIn]);
    await running.stop();
  });

  it('repeats nothing when it starts over', async () => {
    const kernel = await crashed();
    const first = startWorkflow(admitMembers, needsOn(kernel));
    await joinings(kernel, 2);
    await first.stop();
    await kernel.execute(
      members,
      { type: 'LeaveCommunity', data: { community, user: bob, owner: false } },
      cause('leave'),
    );
    // As after a crash in which the checkpoint was lost.
    const documents = { checkpoint: () => Promise.resolve(0n), commit: () => Promise.resolve() };
    const second = startWorkflow(admitMembers, needsOn(kernel, { documents }));
    const other = 300n as CommunityId;
    await kernel.execute(communities, founding(other), cause('found other'));
    assert.deepEqual(await joinings(kernel, 3), [adaIn(), bobIn, adaIn(other)]);
    await second.stop();
  });

  it('is the same deed as the request’s own', async () => {
    const kernel = await crashed();
    const data = { community, user: ada, via: 'founding', joining: 1 } as const;
    await kernel.execute(members, { type: 'JoinCommunity', data }, cause(joiningId(community, ada, 1)));
    const running = startWorkflow(admitMembers, needsOn(kernel));
    assert.deepEqual(await joinings(kernel, 2), [adaIn(), bobIn]);
    await running.stop();
  });

  it('begins where it stopped', async () => {
    const kernel = await crashed();
    const running = startWorkflow(admitMembers, needsOn(kernel));
    await joinings(kernel, 2);
    await running.stop();
    const end = running.position();
    assert.ok(end !== undefined && end > 0n);
    assert.equal(await kernel.store.checkpoint('workflow.admitMembers'), end);
  });

  it('raises the alarm, waits longer each time, and goes on when it can', async () => {
    const kernel = await crashed();
    const pauses: number[] = [];
    const alarms: WorkflowAlarm[] = [];
    const broken = 12;
    const running = startWorkflow(
      admitMembers,
      needsOn(kernel, {
        execute: (...command) =>
          alarms.length < broken ? Promise.reject(new Error('the log is away')) : kernel.execute(...command),
        alarm: (alarm) => alarms.push(alarm),
        pause: (millis) => {
          pauses.push(millis);
          return Promise.resolve();
        },
      }),
    );
    assert.deepEqual(await joinings(kernel, 2), [adaIn(), bobIn]);
    await running.stop();
    assert.deepEqual(
      alarms.map(({ failures }) => failures),
      Array.from({ length: broken }, (_, index) => index + 1),
    );
    assert.deepEqual(pauses.slice(0, 3), [100, 200, 400]);
    assert.equal(pauses.at(-1), pauseMillisMax);
  });

  it('stops in the middle of a pause', async () => {
    const kernel = await crashed();
    let paused: (() => void) | undefined;
    const inPause = new Promise<void>((resolve) => (paused = resolve));
    const running = startWorkflow(
      admitMembers,
      needsOn(kernel, {
        execute: () => Promise.reject(new Error('the log is away')),
        alarm: () => undefined,
        pause: (_, signal) =>
          new Promise((resolve) => {
            signal.addEventListener('abort', () => {
              resolve();
            });
            paused?.();
          }),
      }),
    );
    await inPause;
    await running.stop();
    assert.ok(running.position() === undefined || running.position() === 0n);
  });
});
