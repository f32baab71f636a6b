import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { s3Blobs } from '../../src/adapters/blobs/s3.js';
import { BlobsAway, type Blobs } from '../../src/kernel/ports/blobs.js';

type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

const emptyList =
  '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>b</Name><KeyCount>0</KeyCount></ListBucketResult>';
const failure = (code: string): string =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`;

/** A server that knows less than Amazon's, and answers objects as the test says. */
const bucket = async (t: TestContext, answer: Answer): Promise<Blobs> => {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const isList = request.method === 'GET' && (request.url ?? '').includes('list-type=2');
      if (Object.keys(request.headers).some((name) => name.includes('checksum'))) {
        response.writeHead(501).end(failure('NotImplemented'));
      } else if (isList) response.end(emptyList);
      else answer(request, response, Buffer.concat(chunks));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // It listens on a port.
  const blobs = await s3Blobs({ url: `s3://key:secret@blobs?endpoint=http://127.0.0.1:${port.toString()}` });
  t.after(async () => {
    await blobs.close();
    server.closeAllConnections();
    server.close();
  });
  return blobs;
};

describe('a bucket on a server that knows less, or answers badly', () => {
  it('is asked for no checksums', async (t) => {
    let stored: Uint8Array = new Uint8Array(0);
    const blobs = await bucket(t, ({ method }, response, body) => {
      if (method === 'PUT') stored = body;
      response.end(method === 'PUT' ? '' : stored);
    });
    await blobs.put('a', Buffer.from('hello'));
    assert.equal(Buffer.from(stored).toString(), 'hello');
    assert.equal(Buffer.from((await blobs.get('a')) ?? []).toString(), 'hello');
    // It answered a range with everything.
    assert.equal(Buffer.from((await blobs.get('a', { from: 1, length: 3 })) ?? []).toString(), 'ell');
  });

  it('gives no short bytes for a blob when the body is cut', async (t) => {
    const blobs = await bucket(t, (_, response) => {
      response.writeHead(200, { 'Content-Length': '10' });
      response.write('12345');
      setImmediate(() => response.destroy());
    });
    await assert.rejects(blobs.get('a'), BlobsAway);
    await assert.rejects(blobs.get('a', { from: 0, length: 10 }), BlobsAway);
  });

  it('is asked again when an answer is lost, or the clock is said to be wrong', async (t) => {
    const seen: string[] = [];
    const blobs = await bucket(t, ({ headers }, response) => {
      seen.push(String(headers['x-amz-date']));
      response.setHeader('Date', new Date(Date.now() + 20 * 60_000).toUTCString());
      if (seen.length === 1) response.destroy();
      else if (seen.length === 2) response.writeHead(403).end(failure('RequestTimeTooSkewed'));
      else response.end();
    });
    await blobs.put('a', Buffer.from('hello'));
    assert.equal(seen.length, 3);
    // From here on it goes by the clock of the server.
    await blobs.put('b', Buffer.from('hello'));
    const [, , third = '', fourth = ''] = seen;
    const millis = (date: string) => Date.parse(date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
    for (const date of [third, fourth]) assert.ok(Math.abs(millis(date) - Date.now() - 20 * 60_000) < 60_000, date);
  });

  it('fails in words when it goes on failing, and stores nothing half', async (t) => {
    let tries = 0;
    const blobs = await bucket(t, (_, response) => {
      tries += 1;
      response.writeHead(503).end(failure('SlowDown'));
    });
    await assert.rejects(blobs.put('a', Buffer.from('hello')), BlobsAway);
    assert.equal(tries, 3);
    await assert.rejects(blobs.remove(['a']), BlobsAway);
  });
});
