import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { variables } from '../../../src/config.js';
import {
  inboundBytesMax,
  inFlightMax,
  messageBounds,
  signedOutInboundBytesMax,
  signedOutInFlightMax,
  signedOutMessageBounds,
} from '../../../src/gateway/sockets/connection.js';
import { rpcPolicy } from '../../../src/gateway/contract/rpcPolicy.js';
import { limitTable } from '../../../src/gateway/requests/rateLimits.js';
import { rpcTable, type AnyRpc } from '../../../src/gen/rpcs.js';
import type { Allowance } from '../../../src/kernel/ports/rateLimit.js';
import { bufferedBytesMax } from '../../../src/gateway/frames/outbox.js';
import { connectionsMax, firstRequestMillisMax, signedOutMillisMax } from '../../../src/gateway/sockets/places.js';
import { stalledSweepsMax, stallSweepMillis, waitingBytesMax } from '../../../src/gateway/sockets/slowReaders.js';
import { idleMillisMax } from '../../../src/gateway/sockets/connections.js';
import { keepAliveMillisMax, requestMillisMax } from '../../../src/gateway/sockets/timeouts.js';

import { protocolName } from '../../support/protocolNames.js';

const page = readFileSync('docs/operating.md', 'utf8');

type Row = Allowance & { readonly per: string; readonly rpcs: readonly string[] };

const rowsOf = (page: string): readonly Row[] =>
  [...page.matchAll(/^\| ([a-z-]+) +\| (session|address) +\| ([\d,]+) +\| ([\d/]+) +\| (.+?) *\|$/gm)].map(
    ([, name = '', per = '', burst = '', perSecond = '', rpcs = '']) => ({
      name,
      per,
      burst: Number(burst.replace(',', '')),
      rpcs: rpcs.split(', ').sort(),
      perSecond: perSecond.startsWith('1/') ? 1 / Number(perSecond.slice(2)) : Number(perSecond),
    }),
  );

describe('docs/operating.md', () => {
  it('has every limit on requests, as it is', () => {
    const limits = Object.values(limitTable).map(({ per, allowance }) => ({ per, ...allowance }));
    const byName = (one: Allowance, other: Allowance): number => one.name.localeCompare(other.name);
    const rows = rowsOf(page).map(({ name, per, burst, perSecond }) => ({ name, per, burst, perSecond }));
    assert.deepEqual(rows.sort(byName), limits.sort(byName));
  });

  it('has the RPCs that are counted against each limit', () => {
    const named = (limit: string): readonly string[] =>
      (Object.values(rpcTable) as readonly AnyRpc[])
        .filter(({ name }) => limitTable[rpcPolicy[name].limit].allowance.name === limit)
        .map(protocolName)
        .sort();
    for (const { name, rpcs } of rowsOf(page))
      assert.deepEqual(rpcs, name === 'requests' ? ['everything else'] : named(name), name);
  });

  it('has the bounds of connections, as they are', () => {
    const count = (number: number): string => number.toLocaleString('en');
    const kibibytes = (bytes: number): string => `${(bytes / 1_024).toString()} KiB`;
    const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toString()} MiB`;
    const seconds = (millis: number): string => `${(millis / 1_000).toString()} s`;
    const { maxFragments, maxBufferedChunks } = messageBounds;
    const fewer = signedOutMessageBounds;
    const minutes = (millis: number): string => `${['five', 'ten'][millis / 300_000 - 1] ?? ''} minutes`;
    const rows: readonly (readonly [what: string, ...figures: readonly string[]])[] = [
      ['a frame from a client', mebibytes(inboundBytesMax), kibibytes(signedOutInboundBytesMax)],
      ['pieces of such a message', count(maxFragments), count(maxBufferedChunks)],
      ['pieces of such a message', count(fewer.maxFragments), count(fewer.maxBufferedChunks)],
      ['requests of one connection under way', count(inFlightMax), count(signedOutInFlightMax)],
      ['bytes that wait for a client', mebibytes(bufferedBytesMax)],
      ['bytes that wait for all clients of a process', mebibytes(waitingBytesMax)],
      ['a client for which bytes wait and who takes none', seconds(stalledSweepsMax * stallSweepMillis)],
      ['the first valid request', seconds(firstRequestMillisMax)],
      ['connections without a session of one address', count(Number(variables.signedOutPerAddress.default))],
      ['silence', minutes(idleMillisMax)],
      ['a connection without a session', minutes(signedOutMillisMax)],
      ['connections of one process', count(connectionsMax)],
      ['a request over HTTP, on its way', seconds(requestMillisMax)],
      ['an HTTP connection between requests', seconds(keepAliveMillisMax)],
    ];
    for (const [what, ...figures] of rows) {
      const row = page.split('\n').find((line) => line.startsWith(`| ${what} `)) ?? '';
      for (const figure of figures) assert.match(row, new RegExp(`(?<![\\d.,])${figure}(?![\\d.,]\\d|\\d)`), what);
    }
  });
});
