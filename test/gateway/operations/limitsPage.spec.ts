import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import {
  fetchesAtOnceMax,
  fetchesOfOneAtOnceMax,
  fetchesOfOneWaitingMax,
  fetchesWaitingMax,
  turnMillisMax,
} from '../../../src/adapters/linkPreviews/fetchTurns.js';
import { fetchMillisMax, pageBytesMax, redirectsMax } from '../../../src/adapters/linkPreviews/guardedFetch.js';
import { previewAllowances, previewsBytesMax } from '../../../src/adapters/linkPreviews/linkPreviews.js';
import { configFrom, variables } from '../../../src/config.js';
import {
  inboundBytesMax,
  messageBounds,
  signedOutInboundBytesMax,
  signedOutMessageBounds,
} from '../../../src/gateway/sockets/connection.js';
import { unreadMillisMax } from '../../../src/gateway/sockets/paidReading.js';
import { inFlightMax, signedOutInFlightMax } from '../../../src/gateway/sockets/requestIntake.js';
import { bufferedBytesMax } from '../../../src/gateway/frames/outbox.js';
import { httpConnectionsMax } from '../../../src/gateway/sockets/httpConnections.js';
import { connectionsMax, firstRequestMillisMax, signedOutMillisMax } from '../../../src/gateway/sockets/places.js';
import {
  pressedBacklogBytesMax,
  stalledSweepsMax,
  stallSweepMillis,
  waitingBytesMax,
  waitingBytesPerUserMax,
} from '../../../src/gateway/sockets/slowReaders.js';
import {
  alwaysReadBytesMax,
  receivedBytesMax,
  receivedBytesPerConnectionMax,
} from '../../../src/gateway/sockets/receivedBytes.js';
import { roomLookMillis, slowLooksMax } from '../../../src/gateway/sockets/unfinishedMessages.js';
import { floorShareMax } from '../../../src/gateway/operations/freeDisk.js';
import { writtenBytesPerUserMax } from '../../../src/gateway/requests/writeBounds.js';
import { idleMillisMax } from '../../../src/gateway/sockets/connections.js';
import { keepAliveMillisMax, requestMillisMax } from '../../../src/gateway/sockets/timeouts.js';

import { operatingPage } from '../../support/limitTables.js';

const page = readFileSync('docs/operating.md', 'utf8');

const count = (number: number): string => number.toLocaleString('en');
const kibibytes = (bytes: number): string => `${(bytes / 1_024).toString()} KiB`;
const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toString()} MiB`;
const seconds = (millis: number): string => `${(millis / 1_000).toString()} s`;
const minutes = (millis: number): string => `${['five', 'ten'][millis / 300_000 - 1] ?? ''} minutes`;

describe('docs/operating.md', () => {
  it('has every limit on requests, as it is', async () => {
    const expected = await operatingPage(page);
    if (process.env['WRITE_DOCS'] === 'yes') writeFileSync('docs/operating.md', expected);
    else assert.equal(page, expected, 'run `npm run docs`');
  });

  it('has the bounds of connections, as they are', () => {
    const { maxFragments, maxBufferedChunks } = messageBounds;
    const fewer = signedOutMessageBounds;
    const rows: readonly (readonly [what: string, ...figures: readonly string[]])[] = [
      ['a frame from a client', mebibytes(inboundBytesMax), kibibytes(signedOutInboundBytesMax)],
      ['pieces of such a message', count(maxFragments), count(maxBufferedChunks)],
      ['pieces of such a message', count(fewer.maxFragments), count(fewer.maxBufferedChunks)],
      ['requests of one connection under way', count(inFlightMax), count(signedOutInFlightMax)],
      ['bytes that wait for a client', mebibytes(bufferedBytesMax)],
      ['bytes that wait for all clients of a process', mebibytes(waitingBytesMax)],
      ['bytes that wait for the clients of one user', mebibytes(waitingBytesPerUserMax)],
      ['a client with more than', kibibytes(pressedBacklogBytesMax)],
      ["bytes of one connection's requests that are not answered", mebibytes(receivedBytesPerConnectionMax)],
      ['bytes of all requests that are not answered', mebibytes(receivedBytesMax), kibibytes(alwaysReadBytesMax)],
      ['bytes of all messages that are not complete', mebibytes(receivedBytesMax), seconds(unreadMillisMax)],
      [
        'a long message of which nothing comes while others wait',
        seconds(roomLookMillis),
        seconds(slowLooksMax * roomLookMillis),
        mebibytes(receivedBytesMax),
      ],
      ['connections of one session', count(Number(variables.connectionsPerSession.default))],
      ['connections of one user', count(Number(variables.connectionsPerUser.default))],
      ['free room on the disk of the data folder', '1 GiB', `${(floorShareMax * 100).toString()} %`],
      ['events that a user writes in a day, on a node', `${(writtenBytesPerUserMax / 1_073_741_824).toString()} GiB`],
      ['a client for which bytes wait and who takes none', seconds(stalledSweepsMax * stallSweepMillis)],
      ['the first valid request', seconds(firstRequestMillisMax)],
      ['connections without a session of one address', count(Number(variables.signedOutPerAddress.default))],
      ['silence', minutes(idleMillisMax)],
      ['a connection without a session', minutes(signedOutMillisMax)],
      ['connections of one process', count(connectionsMax)],
      ['connections that are no WebSockets', count(httpConnectionsMax)],
      ['a request over HTTP, on its way', seconds(requestMillisMax)],
      ['an HTTP connection between requests', seconds(keepAliveMillisMax)],
      ['a fetch for the preview of a link', seconds(fetchMillisMax), kibibytes(pageBytesMax), count(redirectsMax)],
      [
        'such fetches of a node at once',
        ...[fetchesAtOnceMax, fetchesOfOneAtOnceMax, fetchesWaitingMax, fetchesOfOneWaitingMax].map(count),
        seconds(turnMillisMax),
      ],
      ['such fetches of all nodes', count(previewAllowances.host.burst), count(previewAllowances.user.burst)],
      ['previews of links that a node remembers', mebibytes(previewsBytesMax)],
    ];
    const defaults = {
      waitingBytesMax,
      waitingBytesPerUser: waitingBytesPerUserMax,
      receivedBytesMax,
      receivedBytesPerConnection: receivedBytesPerConnectionMax,
      writtenBytesPerUserAndDay: writtenBytesPerUserMax,
      connectionsMax,
    };
    assert.deepEqual({ ...configFrom({}), ...defaults }, configFrom({}));
    for (const [what, ...figures] of rows) {
      const row = page.split('\n').find((line) => line.startsWith(`| ${what} `)) ?? '';
      for (const figure of figures) assert.match(row, new RegExp(`(?<![\\d.,])${figure}(?![\\d.,]\\d|\\d)`), what);
    }
  });
});
