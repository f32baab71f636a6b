import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MessageId, UserId } from '../../src/kernel/ids.js';
import { hearing, ledger, Violation, type Caller } from './crash/ledger.js';

const ada = 1n as UserId;
const ben = 2n as UserId;
const id = (number: number): MessageId => BigInt(number) as MessageId;
const entry = (number: number, text: string) => ({ messageId: id(number), authorId: ada, message: text });

/** Has this history, all of it on one page. */
const reader = (history: readonly ReturnType<typeof entry>[]): Caller => ({
  call: (_, request) => {
    const { since = 0n } = request as { readonly since?: bigint }; // Only histories are asked for.
    const messages = history.filter(({ messageId }) => messageId > since);
    return Promise.resolve({ messages, users: [], members: [], reactions: [] } as never);
  },
});
const chatRef = { self: {} };
const sent = (texts: readonly string[], acknowledged: readonly (readonly [string, number])[] = []) => ({
  texts: new Map([[ada, texts]]),
  acknowledged: acknowledged.map(([message, number]) => ({ message, id: id(number) })),
});

describe('what crashes are judged by', () => {
  const wrong = [
    ['lost', [entry(5, 'a')], sent(['a'], [['b', 6]]), /acknowledged and is not there/],
    ['there twice', [entry(5, 'a'), entry(6, 'a')], sent(['a']), /there 2 times/],
    ['another one than was answered', [entry(5, 'a')], sent(['a'], [['a', 6]]), /acknowledged as 6 and is 5/],
    ['out of order', [entry(5, 'b'), entry(6, 'a')], sent(['a', 'b']), /should be in the order/],
    ['missing at the end', [entry(5, 'a')], sent(['a', 'b']), /where "b" should be/],
  ] as const;
  for (const [what, history, expected, message] of wrong) {
    it(`finds a message that is ${what}`, async () => {
      await assert.rejects(ledger().check(reader(history), chatRef, expected), (error) => {
        assert.ok(error instanceof Violation);
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it('counts what others wrote after the marker and did not delete', async () => {
    const book = ledger();
    const history = [entry(5, 'a'), entry(6, 'b'), entry(7, 'c')];
    await book.check(reader(history), chatRef, sent(['a', 'b', 'c'], [['b', 6]]));
    book.marked(ben, id(5));
    assert.deepEqual([book.unread(ada), book.unread(ben)], [0, 2]);
    book.deleted(id(7));
    assert.equal(book.unread(ben), 1);
  });

  it('finds what was missed on one connection, and what was told twice, but not what was missed between two', () => {
    const all = [id(5), id(6), id(7)];
    const on = (socket: number, ...numbers: readonly number[]) => numbers.map((number) => ({ id: id(number), socket }));
    assert.throws(() => {
      hearing('Ada').check(on(1, 5, 7), all);
    }, /missed 1 before 7/);
    assert.throws(() => {
      hearing('Ada').check(on(1, 5, 6, 6), all);
    }, /told again/);
    assert.throws(() => {
      hearing('Ada').check(on(1, 4), all);
    }, /which there is not/);
    hearing('Ada').check([...on(1, 5), ...on(2, 7)], all);
  });
});
