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
const bucket = async (t: TestContext, answer: Answer, checksums: 'unknown' | 'known' = 'unknown'): Promise<Blobs> => {
  let opened = false;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const isOpening = !opened && request.method === 'GET' && (request.url ?? '').includes('list-type=2');
      if (checksums === 'unknown' && Object.keys(request.headers).some((name) => name.includes('checksum'))) {
        response.writeHead(501).end(failure('NotImplemented'));
      } else if (isOpening) response.end(emptyList);
      else answer(request, response, Buffer.concat(chunks));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // It listens on a port.
  const blobs = await s3Blobs({ url: `s3://key:secret@blobs?endpoint=http://127.0.0.1:${port.toString()}` });
  opened = true;
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

  it('is put ten blobs at once, however wrong the clock is said to be', async (t) => {
    const stored = new Set<string>();
    const ahead = 20 * 60_000;
    const blobs = await bucket(t, ({ url, headers }, response) => {
      const said = String(headers['x-amz-date']).replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z');
      response.setHeader('Date', new Date(Date.now() + ahead).toUTCString());
      if (Math.abs(Date.parse(said) - Date.now() - ahead) > 15 * 60_000) {
        response.writeHead(403).end(failure('RequestTimeTooSkewed'));
        return;
      }
      stored.add((url ?? '').replace(/\?.*/, ''));
      response.end();
    });
    await Promise.all(
      Array.from({ length: 10 }, (_, index) => blobs.put(`a${index.toString()}`, Buffer.from('hello'))),
    );
    assert.equal(stored.size, 10);
  });

  it('is asked on for a list that it gives in pieces, some of them empty', async (t) => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const listed = (keys: readonly string[], next?: string): string =>
      `<?xml version="1.0"?><ListBucketResult><Name>b</Name><IsTruncated>${String(next !== undefined)}</IsTruncated>${keys
        .map((key) => `<Contents><Key>${key}</Key><Size>3</Size></Contents>`)
        .join(
          '',
        )}${next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`}</ListBucketResult>`;
    const asked: string[] = [];
    const blobs = await bucket(t, ({ url }, response) => {
      const parameters = new URL(url ?? '', 'http://localhost').searchParams;
      asked.push(parameters.get('max-keys') ?? '');
      const [, at = '0', before = ''] = /^(\d+)(e?)$/.exec(parameters.get('continuation-token') ?? '') ?? [];
      const from = Number(at);
      if (from === 2 && before === '') response.end(listed([], '2e'));
      else
        response.end(listed(names.slice(from, from + 2), from + 2 < names.length ? (from + 2).toString() : undefined));
    });
    const found = async (limit: number) => (await blobs.list('', { limit })).map(({ name }) => name);
    assert.deepEqual(await found(1_000), names);
    assert.deepEqual(asked, ['1000', '998', '998', '996']);
    assert.deepEqual(await found(3), names.slice(0, 3));
    assert.deepEqual(await found(2), names.slice(0, 2));
  });

  it('fails in words when its list never ends', async (t) => {
    const more = '<IsTruncated>true</IsTruncated>';
    const blobs = await bucket(t, (_, response) => response.end(emptyList.replace('<KeyCount>', `${more}<KeyCount>`)));
    await assert.rejects(blobs.list('', { limit: 5 }), BlobsAway);
  });

  it('has its blobs removed in one request, and one by one where it does not know that', async (t) => {
    const seen: string[] = [];
    const blobs = await bucket(t, ({ method, url }, response) => {
      seen.push(`${method ?? ''} ${(url ?? '').replace(/\?.*/, '')}`);
      response.writeHead(204).end();
    });
    // Removing many takes a checksum, which this server refuses.
    for (let times = 0; times < 2; times += 1) await blobs.remove(['a', 'b']);
    assert.deepEqual(seen.toSorted(), ['DELETE /blobs/a', 'DELETE /blobs/a', 'DELETE /blobs/b', 'DELETE /blobs/b']);
  });

  it('says so when it removed only some of many', async (t) => {
    const results = ['', '<Error><Key>b</Key><Code>InternalError</Code><Message>no</Message></Error>'];
    const seen: string[] = [];
    const answer: Answer = ({ method, url }, response, body) => {
      seen.push(
        `${method ?? ''} ${(url ?? '').replace(/&.*/, '')} ${(body.toString().match(/<Key>/g) ?? []).length.toString()}`,
      );
      response.end(`<?xml version="1.0"?><DeleteResult>${results.shift() ?? ''}</DeleteResult>`);
    };
    const blobs = await bucket(t, answer, 'known');
    await blobs.remove(['a', 'b', 'c']);
    await assert.rejects(blobs.remove(['a', 'b']), BlobsAway);
    assert.deepEqual(seen, ['POST /blobs/?delete= 3', 'POST /blobs/?delete= 2']);
  });

  it('gives nothing for a range that it was not asked for, or for more than a blob may have', async (t) => {
    let closed = 0;
    const answers: ((response: ServerResponse) => void)[] = [
      (response) => response.writeHead(206, { 'Content-Range': 'bytes 0-2/10', 'Content-Length': '3' }).end('abc'),
      (response) => response.writeHead(206, { 'Content-Range': 'bytes 1-2/10', 'Content-Length': '2' }).end('bc'),
      (response) => response.writeHead(206, { 'Content-Range': 'bytes 1-3/10', 'Content-Length': '2' }).end('bc'),
      (response) => {
        response.on('close', () => (closed += 1));
        response.writeHead(200, { 'Content-Length': '3000000' });
        response.write('abc');
      },
    ];
    const blobs = await bucket(t, (_, response) => answers.shift()?.(response));
    while (answers.length > 0) await assert.rejects(blobs.get('a', { from: 1, length: 3 }), BlobsAway);
    // The body that nobody read is at an end, and its connection with it.
    while (closed === 0) await new Promise(setImmediate);
  });
});
