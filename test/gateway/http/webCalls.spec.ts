import assert from 'node:assert/strict';
import { systemTimers } from '../../../src/adapters/system/timers.js';
import { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { of } from '../../../src/container/tokens.js';
import { visitors } from '../../../src/gateway/http/visitors.js';
import { webCalls, type Credentials } from '../../../src/gateway/http/webCalls.js';
import { freeMeter } from '../../../src/gateway/contract/meter.js';
import { admission, type AdmissionVerdict } from '../../../src/gateway/requests/admission.js';
import { isRejection, reject } from '../../../src/kernel/decider.js';
import type { FileId, Millis } from '../../../src/kernel/ids.js';
import { ada, bob } from '../../support/house/cast.js';
import { house, type House } from '../../support/house/house.js';
import { sessionOf, type Node } from '../../support/house/node.js';
import { bearer } from './site.js';

let here: House;
let node: Node;
before(async () => {
  here = await house();
  node = await here.node();
  for (const user of [ada, bob]) await node.must(user, 'coreInitialize', { clientId: 1 });
});
after(() => here.close());

type Admitting = Parameters<typeof webCalls>[0]['admission'];

/** Calls whose admission is the test's. */
const callsWith = (admitting: Admitting) => {
  const { get } = node;
  const needs = {
    guard: get(of.guard),
    streams: get(of.streams),
    uses: get(of.sessionUses),
    calls: get(of.gateway).calls,
  };
  return webCalls({ ...needs, admission: admitting, visitors: visitors(() => here.clock.at) });
};

const from = (address = '192.0.2.1', socket = new Socket()) => ({ socket, address });
const tokenOf = (text: string): Credentials => ({ kind: 'token', token: text.replace('Bearer ', '') });
const adas = () => tokenOf(bearer(ada).authorization);
const link: Credentials = {
  kind: 'link',
  link: { file: 1n as FileId, kind: 'media', ...sessionOf(ada), expiresAt: 0 as Millis },
};
const none: Credentials = { kind: 'none', rejection: reject('FILE_NOT_FOUND') };

describe('a request over HTTP', () => {
  it('is paid for by a stranger until its token is known, and then by its session', async () => {
    const asked: string[] = [];
    const verdict: AdmissionVerdict = {
      kind: 'admitted',
      afterMillis: 0,
      turn: () => undefined,
      meter: freeMeter,
      end: () => asked.push('end'),
    };
    const calls = callsWith({
      admit: ({ session }, { name }) => {
        asked.push(`${session === undefined ? 'a stranger' : session.caller.user.toString()} asks for ${name}`);
        return verdict;
      },
      millisUntil: () => 0,
    });
    const stranger = ['a stranger asks for authAuthorize', 'end'];
    const own = ['1 asks for mediaDownloadFilePart', 'end'];
    const opening = async (credentials: Credentials) => {
      const opened = await calls.open(from(), credentials);
      if (!isRejection(opened)) opened.end();
      return [isRejection(opened) ? opened.rejected : opened.call.caller.user, ...asked.splice(0)];
    };
    assert.deepEqual(await opening(adas()), [ada, ...stranger, ...own]);
    assert.deepEqual(await opening(adas()), [ada, ...own]);
    assert.deepEqual(await opening(link), [ada, ...own]);
    assert.deepEqual(await opening(tokenOf(bearer(ada, 5n).authorization)), ['INVALID_TOKEN', ...stranger]);
    assert.deepEqual(await opening(none), ['FILE_NOT_FOUND', 'a stranger asks for unknown', 'end']);
    assert.deepEqual(await opening(tokenOf('nonsense')), ['INVALID_TOKEN', 'a stranger asks for unknown', 'end']);
  });

  it('of strangers is bounded for each address, and those who are known go on', async () => {
    const allowed = { take: () => ({ allowed: true }) as const };
    const real = admission({
      timers: { ...systemTimers, now: () => here.clock.at },
      shared: allowed,
      limited: () => undefined,
    });
    const calls = callsWith(real);
    const opened = await calls.open(from(), adas());
    assert.ok(!isRejection(opened));
    opened.end();
    // Each on a connection of its own, of which some units are welcome.
    const tries = Array.from({ length: 1_100 }, () => tokenOf(bearer(ada, 6n).authorization));
    const flood = async (socket: Socket) => {
      const outcomes = await Promise.all(
        tries.map((credentials) => calls.open(from('192.0.2.1', socket), credentials)),
      );
      return outcomes.filter((one) => isRejection(one) && one.rejected === 'RATE_LIMITED').length;
    };
    let refused = 0;
    for (let round = 0; round < 6; round += 1) refused += await flood(new Socket());
    assert.ok(refused > 1_000, `${refused.toString()} were refused`);
    const known = await calls.open(from(), adas());
    assert.ok(!isRejection(known));
    known.end();
    assert.equal(isRejection(await calls.open(from('192.0.2.9'), tokenOf(bearer(bob).authorization))), false);
  });
});
