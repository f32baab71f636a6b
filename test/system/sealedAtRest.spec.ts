import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { MongoClient } from 'mongodb';
import { authorKeyName } from '../../src/adapters/sealer/keyNames.js';
import { lmdbVault } from '../../src/adapters/vault/lmdb.js';
import { loadMasterKey } from '../../src/adapters/vault/masterKey.js';
import { foldersIn } from '../../src/engines.js';
import { periodOf } from '../../src/kernel/codec.js';
import type { Sealer } from '../../src/kernel/ports/sealer.js';
import { erasedName } from '../../src/gateway/rendering/user.js';
import { found, leftIn, type Left } from '../support/byteSearch.js';
import { freshFolder } from '../support/dataFolders.js';
import { redisUrl } from '../support/deployments.js';
import { dropDatabase, inDatabase, mongoUrl, needsMongo } from '../support/mongoServer.js';
import { openTestRedis } from '../support/redis.js';
import { testServer, type TestServer } from '../support/server.js';
import { resume } from './seat.js';
import { secrets, writeAll, type Secrets, type Written } from './secrets.js';

const vaultFolders = ['vault', 'master'];
/** Of every client of a test. */
const address = '127.0.0.1';

/** Keeps what it is given as it is, so that the search has something to find. */
const sealsNothing = (real: Sealer): Sealer => ({
  ...real,
  seal: (plain, binding, period) => {
    const sealed = real.seal(plain, binding, period);
    return typeof sealed === 'string' ? Buffer.from(plain).toString() : sealed;
  },
  packed: (sealed) => Buffer.from(sealed),
  open: (packed) => packed,
  heldUntil: () => Infinity,
});

const servedAndStopped = async (server: TestServer, known: Secrets): Promise<Written> => {
  const written = await writeAll(server.url, known);
  await server.close();
  return written;
};

describe('a data folder', () => {
  const known = secrets();
  let server: TestServer;
  let written: Written;
  before(async () => {
    server = await testServer({ environment: { OSMIUM_RATE_LIMITS: 'on' } });
    written = await servedAndStopped(server, known);
  });
  after(() => server.remove());

  it('has no byte of what people write, nor of where they are, outside of the vault', () => {
    assert.ok(known.all.length >= 100, known.all.length.toString());
    const left = leftIn(server.dataDir, vaultFolders);
    assert.ok(
      left.some(({ where }) => where.startsWith('documents')) && left.some(({ where }) => where.startsWith('log')),
    );
    assert.ok(left.some(({ where }) => where.startsWith('files')));
    assert.deepEqual(found([...known.all, address], left), []);
  });

  it('would be found to have it: in the log and in the read models', async () => {
    const other = secrets();
    const open = await testServer({ sealer: sealsNothing });
    await servedAndStopped(open, other);
    const left = leftIn(open.dataDir, vaultFolders);
    const foundIn = (part: string): number =>
      found(
        other.all,
        left.filter(({ where }) => where.startsWith(part)),
      ).length;
    const counts = [foundIn('log'), foundIn('documents')];
    await open.remove();
    // Passwords, failed sign-ins, unknown usernames and activities are in neither, and what was deleted or changed is in one.
    assert.ok(
      counts.every((count) => count > other.all.length / 3),
      counts.join(),
    );
  });

  it('shows what one author wrote as erased once their key is destroyed, and nothing else', async () => {
    const { vault: folder, masterKey } = foldersIn(server.dataDir);
    const vault = await lmdbVault({ folder, masterKey: loadMasterKey(masterKey, { mayMake: false }).key });
    await vault.destroy(authorKeyName(written.author.user.toString(), periodOf(Date.now())));
    await vault.close();
    const again = await server.restarted();
    try {
      await readsOn(again.url, written);
    } finally {
      await again.close();
    }
  });
});

const readsOn = async (url: string, { author, reader, place, texts }: Written): Promise<void> => {
  const seat = await resume(url, reader.token);
  const { messages } = await seat.do('messagesGetHistory', { chatRef: place, limit: 100 });
  const shown = messages.map(({ authorId, message }) => ({ by: authorId, message }));
  assert.deepEqual(
    shown.filter(({ by }) => by === author.user).map(({ message }) => message),
    shown.filter(({ by }) => by === author.user).map(() => ''),
  );
  assert.ok(shown.some(({ by }) => by === author.user));
  assert.ok(shown.some(({ by, message }) => by === reader.user && message === texts.reader));
  const { communityId } = place.channel;
  const { users } = await seat.do('communitiesGetMembers', { communityId });
  assert.deepEqual(
    users.map(({ id, name }) => name === erasedName && id),
    users.map(({ id }) => id === author.user && id),
  );
  await seat.do('usersGetProfile', { ref: { userId: author.user }, includeMutuals: true });
  const { channels } = await seat.do('communitiesGetChannels', { communityId });
  assert.ok(channels.every(({ name }) => name !== ''));
  await seat.do('chatsGetChats', {});
  await seat.do('authGetSessions', {});
  const erased = await resume(url, author.token);
  await erased.do('authGetSessions', {});
  await erased.do('messagesSendMessage', { chatRef: place, message: 'is not written' }).catch(() => undefined);
  const told = seat.update(({ messageCreated }) => messageCreated?.message?.message === 'goes on');
  await seat.do('messagesSendMessage', { chatRef: place, message: 'goes on' });
  await told;
};

const skipped = mongoUrl === '' ? needsMongo : redisUrl === '' ? 'needs REDIS_URL' : false;

describe('MongoDB and Redis', { skip: skipped }, () => {
  it('have no byte of what people write, of what they do, nor of where they are', async (t) => {
    const known = secrets();
    const database = `sealed_${Date.now().toString(36)}`;
    const url = inDatabase(mongoUrl, database);
    const blobs = freshFolder(t);
    const masterKey = join(freshFolder(t), 'master.key');
    writeFileSync(masterKey, randomBytes(32), { mode: 0o600 });
    const environment = {
      OSMIUM_DOCUMENTS: url,
      OSMIUM_PUBSUB: redisUrl,
      OSMIUM_MASTER_KEY_FILE: masterKey,
      OSMIUM_RATE_LIMITS: 'on',
      OSMIUM_BLOBS: `file://${blobs}`,
    };
    const server = await testServer({ environment });
    await writeAll(server.url, known);
    const inRedis = await keptInRedis();
    await server.close();
    const left = [...(await keptInMongo(url)), ...inRedis, ...leftIn(server.dataDir, vaultFolders), ...leftIn(blobs)];
    await dropDatabase(database);
    await server.remove();
    for (const part of ['limit:', 'user:', 'stated:'])
      assert.ok(
        inRedis.some(({ where }) => where.includes(part)),
        part,
      );
    assert.deepEqual(found([...known.all, address], left), []);
  });
});

/** All documents of all collections, in BSON. */
const keptInMongo = async (url: string): Promise<readonly Left[]> => {
  const client = await MongoClient.connect(url);
  const left: Left[] = [];
  for (const collection of await client.db().collections()) {
    // With `raw` each document is the bytes that came.
    const documents = (await collection.find({}, { raw: true }).toArray()) as unknown as readonly Buffer[];
    left.push({ where: collection.collectionName, bytes: Buffer.concat(documents) });
  }
  await client.close();
  return left;
};

const keptInRedis = async (): Promise<readonly Left[]> => {
  const redis = await openTestRedis(redisUrl);
  const left: Left[] = [];
  for (const key of (await redis.commands.send('KEYS', 'osmium:*')) as readonly string[]) {
    const [type, value] = await valueOf(redis.commands, key);
    left.push({ where: `${type} ${key}`, bytes: Buffer.from(`${key}\n${JSON.stringify(value)}`) });
  }
  await redis.close();
  return left;
};

type Commands = Awaited<ReturnType<typeof openTestRedis>>['commands'];

const readers: Readonly<Record<string, readonly string[]>> = {
  string: ['GET'],
  hash: ['HGETALL'],
  set: ['SMEMBERS'],
  zset: ['ZRANGE', '0', '-1'],
};

const valueOf = async (commands: Commands, key: string): Promise<readonly [string, unknown]> => {
  const type = String(await commands.send('TYPE', key));
  const [command = 'DUMP', ...values] = readers[type] ?? [];
  return [type, await commands.send(command, key, ...values)];
};
