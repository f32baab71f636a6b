import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { blobBytesMax, blobsPerCallMax, type Blobs } from '../../src/kernel/ports/blobs.js';

export const blobsContract = (name: string, open: (t: TestContext) => Promise<Blobs>): void => {
  describe(`blobs: ${name}`, () => {
    const bytesOf = (length: number, first = 0): Uint8Array =>
      Uint8Array.from({ length }, (_, at) => (first + at * 7) % 256);
    const namesIn = async (blobs: Blobs, prefix: string, after?: string): Promise<readonly string[]> =>
      (await blobs.list(prefix, { limit: 100, ...(after === undefined ? {} : { after }) })).map((entry) => entry.name);

    it('come back as they were put, at every size on a border', async (t) => {
      const blobs = await open(t);
      for (const length of [0, 1, 65_536, 1_048_577, blobBytesMax]) {
        await blobs.put('a/b', bytesOf(length));
        assert.deepEqual(await blobs.get('a/b'), bytesOf(length));
        assert.deepEqual(await blobs.list('a/', { limit: 9 }), [{ name: 'a/b', bytes: length }]);
      }
      assert.equal(await blobs.get('a/c'), undefined);
      assert.equal(await blobs.get('a'), undefined);
      await blobs.close();
    });

    it('come back in part', async (t) => {
      const blobs = await open(t);
      await blobs.put('a', bytesOf(100));
      const part = async (from: number, length: number): Promise<readonly number[]> => [
        ...((await blobs.get('a', { from, length })) ?? assert.fail('there is no such blob')),
      ];
      assert.deepEqual(await part(0, 1), [...bytesOf(1)]);
      assert.deepEqual(await part(90, 10), [...bytesOf(100).slice(90)]);
      assert.deepEqual(await part(90, 27), [...bytesOf(100).slice(90)]);
      for (const [from, length] of [
        [100, 1],
        [5_000, 10],
        [3, 0],
        [100, 0],
      ] as const) {
        assert.deepEqual(await part(from, length), []);
      }
      assert.equal(await blobs.get('b', { from: 0, length: 1 }), undefined);
      assert.equal(await blobs.get('b', { from: 0, length: 0 }), undefined);
      await blobs.close();
    });

    it('are replaced whole, by one of those that come at once', async (t) => {
      const blobs = await open(t);
      const [some, others] = [new Uint8Array(1_048_576).fill(1), new Uint8Array(900_000).fill(2)];
      for (let round = 0; round < 5; round += 1) {
        const reading = [blobs.put('x/y', some), blobs.put('x/y', others), blobs.get('x/y'), blobs.get('x/y')];
        for (const read of [...(await Promise.all(reading)), await blobs.get('x/y')]) {
          if (read === undefined) continue;
          assert.ok(Buffer.from(read).equals(read[0] === 1 ? some : others), 'parts of two blobs in one');
        }
      }
      assert.deepEqual(await namesIn(blobs, ''), ['x/y']);
      await blobs.close();
    });

    it('are walked through, each once, those of one folder together', { timeout: 120_000 }, async (t) => {
      const blobs = await open(t);
      const names = ['a-c', 'a/b', 'b/10/2', 'b/9/1', 'b/10/1', 'b/9/2', 'b/x', 'c/1'];
      for (const name of names) await blobs.put(name, bytesOf(3));
      const walked = async (prefix: string): Promise<readonly string[]> => {
        const found: string[] = [];
        for await (const page of blobs.walk(prefix)) {
          assert.ok(page.length > 0 && page.length <= blobsPerCallMax);
          for (const { name, bytes } of page) {
            assert.equal(bytes, 3);
            found.push(name);
          }
        }
        return found;
      };
      assert.deepEqual((await walked('')).toSorted(), names.toSorted());
      const below = await walked('b/');
      assert.deepEqual(below.toSorted(), names.filter((name) => name.startsWith('b/')).toSorted());
      assert.equal(Math.abs(below.indexOf('b/9/1') - below.indexOf('b/9/2')), 1);
      assert.equal(Math.abs(below.indexOf('b/10/1') - below.indexOf('b/10/2')), 1);
      assert.deepEqual((await walked('b/1')).toSorted(), ['b/10/1', 'b/10/2']);
      assert.deepEqual([await walked('d'), await walked('a/b/')], [[], []]);
      for await (const page of blobs.walk('')) {
        assert.ok(page.length > 0);
        break;
      }
      await blobs.close();
    });

    it('are listed in the order of their names, page by page, and by how they begin', async (t) => {
      const blobs = await open(t);
      const names = ['a-c', 'a.c', 'a/b', 'a/b.c', 'a/bb/c', 'a/c/d', 'a0', 'b/0010', 'b/0009', 'b/01'];
      for (const name of names.toReversed()) await blobs.put(name, bytesOf(3));
      assert.deepEqual(await namesIn(blobs, ''), names.toSorted());
      assert.deepEqual(await namesIn(blobs, 'a/b'), ['a/b', 'a/b.c', 'a/bb/c'].toSorted());
      assert.deepEqual(await namesIn(blobs, 'a/bb/'), ['a/bb/c']);
      assert.deepEqual(await namesIn(blobs, 'b/00'), ['b/0009', 'b/0010']);
      assert.deepEqual(await namesIn(blobs, 'c'), []);
      for (const after of [...names, 'a/bb', 'a', 'a/', 'b0']) {
        assert.deepEqual(
          await namesIn(blobs, '', after),
          names.toSorted().filter((name) => name > after),
          after,
        );
      }
      assert.deepEqual(
        (await blobs.list('', { limit: 2 })).map((entry) => entry.name),
        names.toSorted().slice(0, 2),
      );
      assert.deepEqual(await blobs.list('', { limit: 0 }), []);
      await blobs.close();
    });

    it('are gone when they are removed, and may come again', async (t) => {
      const blobs = await open(t);
      for (const name of ['a/1', 'a/2', 'a/3']) await blobs.put(name, bytesOf(5));
      await blobs.remove(['a/1', 'a/3', 'a/4', 'never/was']);
      assert.equal(await blobs.get('a/1'), undefined);
      assert.deepEqual(await namesIn(blobs, ''), ['a/2']);
      await blobs.remove(['a/2']);
      await Promise.all([blobs.put('a/1', bytesOf(1)), blobs.remove(['a/2']), blobs.put('a/2/b', bytesOf(1))]);
      assert.deepEqual(await namesIn(blobs, ''), ['a/1', 'a/2/b']);
      await blobs.remove([]);
      await blobs.close();
    });

    it('have no other names, and are no larger, than they may', async (t) => {
      const blobs = await open(t);
      const bad = ['', '/a', 'a/', 'a//b', '..', 'a/../b', '.hidden', 'a/.b', 'A', 'a b', 'a\0', 'ä', 'a'.repeat(201)];
      for (const name of bad) {
        await assert.rejects(blobs.put(name, bytesOf(1)), RangeError, name);
        await assert.rejects(blobs.get(name), RangeError, name);
        await assert.rejects(blobs.remove(['a', name]), RangeError, name);
      }
      await assert.rejects(blobs.list('../', { limit: 1 }), RangeError);
      await assert.rejects(blobs.list('', { limit: blobsPerCallMax + 1 }), RangeError);
      await assert.rejects(blobs.put('a', new Uint8Array(blobBytesMax + 1)), RangeError);
      await assert.rejects(blobs.get('a', { from: -1, length: 1 }), RangeError);
      assert.deepEqual(await namesIn(blobs, ''), []);
      await blobs.close();
    });
  });
};
