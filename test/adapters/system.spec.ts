import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { getPriority, platform, uptime } from 'node:os';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { systemClock } from '../../src/adapters/system/clock.js';
import { systemIds } from '../../src/adapters/system/ids.js';
import { argon2Hasher } from '../../src/adapters/system/argon2.js';
import { HasherBusy, passwordUnitsMax } from '../../src/kernel/ports/system.js';
import { systemRandom } from '../../src/adapters/system/random.js';
import { threadPoolSize } from '../../src/adapters/system/threadPool.js';
import { systemUptime } from '../../src/adapters/system/uptime.js';
import { partsOf, snowflakes } from '../../src/kernel/ids.js';

it('the uptime is that of the machine, looked at now and then', () => {
  const { now } = systemUptime();
  const [before, up, after] = [uptime() * 1_000, now(), uptime() * 1_000];
  assert.ok(up >= before && up <= after);
  assert.ok(now() >= up);
});

it('the size of the thread pool is as libuv reads it', () => {
  const sizes = [undefined, '16', '0', 'many', '-1', '5000', '1'].map((size) =>
    threadPoolSize(size === undefined ? {} : { UV_THREADPOOL_SIZE: size }),
  );
  assert.deepEqual(sizes, [4, 16, 1, 1, 1_024, 1_024, 1]);
});

describe('ids', () => {
  const ids = systemIds(snowflakes(7, () => systemClock.now()));

  it('makes snowflakes of its node that grow', () => {
    const [first, second] = [ids.next(), ids.next()];
    assert.ok(second > first);
    assert.equal(partsOf(first).node, 7);
  });

  it('derives the ids of events from the command, always the same', () => {
    assert.equal(ids.eventId('some command', 0), '69c9c52d-79a8-531b-b6e7-0f0539b95698');
    assert.equal(ids.eventId('some command', 1), 'cb57f98d-f629-5697-9335-27aca73b6863');
    assert.equal(
      systemIds(snowflakes(8, () => systemClock.now())).eventId('some command', 0),
      ids.eventId('some command', 0),
    );
  });

  it('makes UUIDs of version 5 for events and of version 4 for commands', () => {
    const seen = new Set<string>();
    for (let index = 0; index < 200; index += 1) {
      const id = ids.eventId('another', index);
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      seen.add(id);
    }
    assert.equal(seen.size, 200);
    assert.match(ids.commandId(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('refuses a node number that is none', () => {
    for (const node of [-1, 1_024, 1.5]) assert.throws(() => snowflakes(node, () => systemClock.now()));
  });
});

describe('random', () => {
  it('gives as many bytes as asked for, never the same ones', () => {
    const random = systemRandom();
    const drawn = Array.from({ length: 1_000 }, () => Buffer.from(random.bytes(12)).toString('hex'));
    assert.equal(new Set(drawn).size, 1_000);
    for (const length of [0, 1, 32, 128, 129, 5_000]) assert.equal(random.bytes(length).length, length);
  });

  it('gives bytes that nobody else holds', () => {
    const random = systemRandom();
    const first = random.bytes(32);
    const before = [...first];
    assert.equal(first.buffer.byteLength, 32);
    for (let index = 0; index < 100; index += 1) random.bytes(32).fill(0);
    assert.deepEqual([...first], before);
  });
});

/** The 19th field. The second, a name in brackets, may have blanks. */
const nicenessOf = async (thread: string): Promise<number> => {
  const stat = await readFile(`/proc/self/task/${thread}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
};

describe('password hasher', () => {
  it('verifies the password that was hashed and no other', async () => {
    const hasher = argon2Hasher();
    const hash = await hasher.hash('correct horse');
    assert.match(new TextDecoder().decode(hash), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    assert.equal(await hasher.verify('correct horse', hash), true);
    assert.equal(await hasher.verify('correct horsf', hash), false);
  });

  it('hashes the same password to something else each time', async () => {
    const hasher = argon2Hasher();
    assert.notDeepEqual(await hasher.hash('same'), await hasher.hash('same'));
  });

  it('hashes and compares nothing that is longer than a password can be', async () => {
    const hasher = argon2Hasher();
    const long = 'x'.repeat(passwordUnitsMax + 1);
    await assert.rejects(hasher.hash(long), RangeError);
    // What is no hash is an error once it is looked at.
    assert.equal(await hasher.verify(long, Uint8Array.of(1, 2, 3)), false);
  });

  it('refuses what would wait too long, and works off the rest', async () => {
    const hasher = argon2Hasher({ atOnceMax: 1, waitingMax: 2 });
    const outcomes = await Promise.allSettled(['a', 'b', 'c', 'd', 'e'].map((password) => hasher.hash(password)));
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'],
    );
    assert.ok(outcomes[4]?.status === 'rejected' && outcomes[4].reason instanceof HasherBusy);
    assert.ok((await hasher.hash('f')).length > 0);
  });

  it('leaves the threads of the pool to the log and to files, and stands back for all others', async (t) => {
    if (platform() !== 'linux') {
      t.skip('elsewhere a priority belongs to a process');
      return;
    }
    await argon2Hasher().hash('a');
    const nicenesses = (await readdir('/proc/self/task')).map((thread) => nicenessOf(thread));
    assert.ok((await Promise.all(nicenesses)).some((nice) => nice > getPriority()));
    assert.equal(getPriority(process.pid), getPriority());
  });

  it('keeps no process alive', async () => {
    const url = new URL('../../src/adapters/system/argon2.js', import.meta.url).href;
    const script = `const { argon2Hasher } = await import('${url}'); await argon2Hasher().hash('a'); console.log('hashed');`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 20_000,
    });
    assert.equal(stdout, 'hashed\n');
  });

  it('frees its place when a hash cannot be read', async () => {
    const hasher = argon2Hasher({ atOnceMax: 1, waitingMax: 1 });
    await assert.rejects(hasher.verify('a', Uint8Array.of(1, 2, 3)));
    assert.ok((await hasher.hash('a')).length > 0);
  });
});
