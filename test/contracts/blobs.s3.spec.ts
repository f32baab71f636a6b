import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';
import { placeOfBucket, s3Blobs } from '../../src/adapters/blobs/s3.js';
import { BlobsAway } from '../../src/kernel/ports/blobs.js';
import { blobsContract } from './blobs.js';

const url = process.env['S3_URL'] ?? '';

if (url === '') {
  it('blobs: s3', { skip: 'needs S3_URL; `test/engines/versitygw/run.sh` starts an S3 server and prints it' }, () => {
    assert.fail('there is no server');
  });
} else {
  // Runs can be repeated on one bucket, also side by side.
  blobsContract('s3', async (t) => {
    const blobs = await s3Blobs({ url: url.replace('?', `/${randomBytes(6).toString('hex')}?`) });
    t.after(() => blobs.close());
    return blobs;
  });

  it('blobs: s3 with a wrong secret, or without the bucket, does not open', async () => {
    for (const wrong of [url.replace(/:[^:@]*@/, ':wrong@'), url.replace(/@[^?]*/, '@nosuchbucket')]) {
      await assert.rejects(s3Blobs({ url: wrong }), BlobsAway);
    }
  });
}

it('the address of a bucket says all, and nothing else', () => {
  assert.deepEqual(placeOfBucket('s3://key:a%2Fb@chat/files?endpoint=http://127.0.0.1:7070&region=eu-1'), {
    bucket: 'chat',
    prefix: 'files/',
    endpoint: 'http://127.0.0.1:7070',
    region: 'eu-1',
    credentials: { accessKeyId: 'key', secretAccessKey: 'a/b' },
  });
  assert.equal(placeOfBucket('s3://chat').prefix, '');
  for (const bad of [
    's3://',
    's3://A b',
    's3://chat?endpoint=ftp://x',
    's3://chat?secret=1',
    's3://key@chat',
    's3://x',
  ]) {
    assert.throws(() => placeOfBucket(bad), { name: 'BadBucket' }, bad);
  }
});
