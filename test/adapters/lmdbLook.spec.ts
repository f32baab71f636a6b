import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { open } from 'lmdb';
import { lmdbDocuments } from '../../src/adapters/documents/lmdb.js';
import { lmdbEventLog } from '../../src/adapters/eventLog/lmdb.js';
import { lmdbReader } from '../../src/adapters/eventLog/lmdbReader.js';
import { lmdbLook, lookedInto, type LmdbLookOptions } from '../../src/adapters/dataFolder/lmdbLook.js';
import type { LmdbTable } from '../../src/adapters/dataFolder/lmdbTree.js';
import type { Millis } from '../../src/kernel/ids.js';
import { freshStream, someEvent } from '../contracts/eventLog.js';
import { freshFolder } from '../support/dataFolders.js';

const lookingMillis = 2_000;
const writer = fileURLToPath(new URL('lmdbWriter.js', import.meta.url));

const opened = (t: TestContext) => {
  const file = join(freshFolder(t), 'data.mdb');
  const root = open({ path: file, noSubdir: true, overlappingSync: false });
  t.after(() => root.close());
  const table = root.openDB<Buffer, Buffer>({ name: 'table', encoding: 'binary', keyEncoding: 'binary' });
  const options: LmdbLookOptions = { file, flushing: 'before commit', values: 'plain' };
  return { root, table, options };
};

const textOf = (table: LmdbTable, order: 'ascending' | 'descending', start?: string): readonly string[] =>
  Array.from(table.range({ order, ...(start === undefined ? {} : { start: Buffer.from(start) }) }), ({ key, value }) =>
    [key.toString(), value.toString()].join(' '),
  );

describe('a look into a file of LMDB', () => {
  it('takes no commit from a process that writes to it', async (t) => {
    const folder = freshFolder(t);
    const child = spawn(process.execPath, [writer, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => child.kill());
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    assert.equal((await lines.next()).value, 'begun');
    const [began, seen] = [performance.now(), { looks: 0, position: 0n, events: 0 }];
    while (performance.now() - began < lookingMillis) {
      const documents = lmdbDocuments({ folder: join(folder, 'documents') });
      assert.equal((await documents.owner()).status === 'named', false);
      const position = await documents.checkpoint('notes');
      assert.ok(position >= seen.position, 'a look went back');
      await documents.close();
      seen.position = position;
      if (position === 0n) continue;
      const log = lmdbReader(join(folder, 'log'));
      const [last] = log.readAll({ limit: 1, direction: 'backwards' });
      await log.close();
      assert.ok((last?.position ?? 0n) >= position - 1n, 'the log is behind');
      seen.looks += 1;
    }
    child.stdin.end();
    const told = JSON.parse(String((await lines.next()).value)) as Readonly<Record<string, number>>;
    await once(child, 'close');
    assert.ok(seen.looks > 10 && (told['commits'] ?? 0) > 10);
    assert.deepEqual([told['lost'], told['events']], [0, told['commits']]);
  });

  it('changes no byte beside it, and makes no lock', async (t) => {
    const folder = freshFolder(t);
    const [logFolder, documentsFolder] = [join(folder, 'log'), join(folder, 'documents')];
    const log = await lmdbEventLog({ folder: logFolder, now: () => 0 as Millis });
    const documents = lmdbDocuments({ folder: documentsFolder });
    await documents.open([{ name: 'notes_v1', indexes: ['one'] }]);
    await log.append(freshStream(), [someEvent()], 'noStream');
    await documents.commit([], [{ projection: 'notes notes_v1', position: 1n }]);
    const look = async (): Promise<void> => {
      const beside = lmdbDocuments({ folder: documentsFolder });
      assert.deepEqual(await beside.owner(), { status: 'unnamed' });
      assert.deepEqual(await beside.collections(), [{ name: 'notes_v1', indexes: ['one'] }]);
      assert.equal(await beside.checkpoint('notes notes_v1'), 1n);
      await beside.close();
      const reader = lmdbReader(logFolder);
      assert.equal(reader.readAll({ limit: 2 }).length, 1);
      await reader.close();
    };
    await new Promise((resolve) => setTimeout(resolve, flushMillis));
    const before = stateOf(folder);
    assert.ok(before.some(([name]) => name.endsWith('documents.mdb-lock')));
    await look();
    assert.deepEqual(stateOf(folder), before);
    await log.close();
    await documents.close();
    for (const [name] of before) if (name.includes('lock')) rmSync(name);
    const without = stateOf(folder);
    await look();
    assert.deepEqual(stateOf(folder), without);
  });

  it('begins anew when its pages are used for something else meanwhile', (t) => {
    const { root, table, options } = opened(t);
    const put = (round: number): void => {
      root.transactionSync(() => {
        for (let key = 0; key < keys; key += 1)
          void table.put(Buffer.from(`k${key.toString().padStart(4, '0')}`), valueOf(round, key));
      });
    };
    put(0);
    let rounds = 0;
    const look = lmdbLook(options);
    t.after(look.close);
    const read = look.at((tables) => {
      const found = tables.table('table');
      assert.ok(found);
      const values: string[] = [];
      for (const { value } of found.range({ order: 'ascending' })) {
        values.push(value.toString().slice(0, 8));
        // In the first two tries many commits come in between.
        if (values.length === 10 && rounds < 2 * commitsBetween)
          for (let commit = 0; commit < commitsBetween; commit += 1) put((rounds += 1));
      }
      return values;
    });
    assert.equal(read.length, keys);
    assert.deepEqual(new Set(read), new Set([`round ${rounds.toString()}`.padEnd(8)]));
    assert.equal(rounds, 2 * commitsBetween);
  });

  it('finds what LMDB has, in both orders and from any key on', async (t) => {
    const { table, options } = opened(t);
    const held = new Map<string, string>();
    const key = fc.stringMatching(/^[a-d]{1,9}$/);
    const change = fc.record({ key, bytes: fc.option(fc.oneof(fc.nat(200), fc.nat(20_000))) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 60 }), key, async (changes, start) => {
        for (const { key: name, bytes } of changes) {
          if (bytes === null) held.delete(name);
          else held.set(name, `${name}:${'v'.repeat(bytes)}`);
          const value = held.get(name);
          await (value === undefined
            ? table.remove(Buffer.from(name))
            : table.put(Buffer.from(name), Buffer.from(value)));
        }
        const lines = [...held].map((entry) => entry.join(' ')).sort();
        const keyOf = (line: string): string => line.split(' ')[0] ?? '';
        const found = lookedInto(options, (tables) => {
          const looked = tables.table('table');
          assert.ok(looked);
          assert.equal(looked.get(Buffer.from(start))?.toString(), held.get(start));
          assert.equal(looked.entries, held.size);
          assert.equal(tables.table('other'), undefined);
          return [
            textOf(looked, 'ascending'),
            textOf(looked, 'descending'),
            textOf(looked, 'ascending', start),
            textOf(looked, 'descending', start),
          ];
        });
        const expected = [
          lines,
          lines.toReversed(),
          lines.filter((line) => keyOf(line) >= start),
          lines.filter((line) => keyOf(line) <= start).toReversed(),
        ];
        assert.deepEqual(found, expected);
      }),
      { numRuns: 15 },
    );
  });
});

/** LMDB flushes documents behind the commit. */
const flushMillis = 100;
const keys = 600;
const commitsBetween = 5;

const valueOf = (round: number, key: number): Buffer =>
  Buffer.from(`round ${round.toString()}`.padEnd(8) + 'v'.repeat(key % 97 === 0 ? 9_000 : 40));

const stateOf = (folder: string): readonly (readonly [string, number, string])[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => [path, statSync(path).mtimeMs, createHash('sha256').update(readFileSync(path)).digest('hex')]);
