import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextRound } from 'node:timers/promises';
import { Message, type MessageInit } from '../../../src/gen/types.js';
import type { MessageId } from '../../../src/kernel/ids.js';
import { costs } from '../../../src/gateway/contract/meter.js';
import { bytesOf, encodedFitting } from '../../../src/gateway/rendering/answerSize.js';
import { pieceBytesMax } from '../../../src/projections/reading/pace.js';
import { encode, encodePart, type Codec } from '../../../src/wire/codec.js';
import { encodeResult } from '../../../src/wire/envelope.js';

const messageOf = (id: number, length: number): MessageInit => ({
  messageId: BigInt(id) as MessageId,
  message: 'x'.repeat(length),
});
const bytesMax = 1_000_000;

/** A meter that tells how many units were paid between two turns, at most. */
const counting = () => {
  const paid = { all: 0, turns: 0 };
  return {
    paid,
    meter: {
      spend: (units: number): void => void (paid.all += units),
      turn: (units: number): Promise<void> => {
        paid.all += units;
        paid.turns += 1;
        return Promise.resolve();
      },
    },
  };
};

describe('a list of an answer', () => {
  it('is encoded once, and the answer has the bytes that it would have if it had not been', async () => {
    let writes = 0;
    const codec: Codec<Message, MessageInit> = {
      ...Message,
      write: (value, writer) => {
        writes += 1;
        Message.write(value, writer);
      },
    };
    const inits = [1, 2, 3].map((id) => messageOf(id, 40_000));
    const made = (init: MessageInit): MessageInit => init;
    const encoded = await encodedFitting(inits, { codec, made, bytesMax }, counting().meter);
    const answer = encodeResult(7, { messages: { messages: encoded } });
    assert.equal(writes, 3);
    assert.deepEqual(answer, encodeResult(7, { messages: { messages: inits } }));
    assert.deepEqual(
      encoded.map(({ bytes }) => bytes),
      inits.map((init) => encode(Message, init)),
    );
  });

  it('waits for its turn before it goes on', async () => {
    const turns: (() => void)[] = [];
    const turn = (): Promise<void> => new Promise((resolve) => void turns.push(resolve));
    let madeSoFar = 0;
    const made = (length: number): MessageInit => {
      madeSoFar += 1;
      return messageOf(1, length);
    };
    const meter = { spend: () => undefined, turn };
    const encoding = encodedFitting([pieceBytesMax, 1, 1], { codec: Message, made, bytesMax }, meter);
    await nextRound();
    assert.equal(madeSoFar, 1);
    for (let end = turns.shift(); end !== undefined; end = turns.shift()) {
      end();
      await nextRound();
    }
    assert.equal((await encoding).length, 3);
  });

  it('lets others in between, so that no more is made and encoded in one piece than a part and one item', async () => {
    const { paid, meter } = counting();
    let turns = 0;
    let between = 0;
    let most = 0;
    const made = (length: number): MessageInit => {
      if (turns !== paid.turns) [turns, between] = [paid.turns, 0];
      between += length;
      most = Math.max(most, between);
      return messageOf(1, length);
    };
    const lengths = Array.from({ length: 200 }, (_, at) => (at % 10 === 0 ? 30_000 : 100));
    const encoded = await encodedFitting(lengths, { codec: Message, made, bytesMax }, meter);
    assert.equal(encoded.length, lengths.length);
    assert.ok(most <= pieceBytesMax + 30_000, most.toString());
    assert.ok(Math.abs(paid.all - (costs.kibibyteEncoded * bytesOf(...encoded)) / 1_024) < 0.01, paid.all.toString());
  });

  it('ends before the item that is too much', async () => {
    let made = 0;
    const make = (length: number): MessageInit => {
      made += 1;
      return messageOf(1, length);
    };
    const one = bytesOf(encodePart(Message, messageOf(1, 5_000)));
    const listing = { codec: Message, made: make, bytesMax: 2 * one };
    const encoded = await encodedFitting([5_000, 5_000, 5_000, 1], listing, counting().meter);
    assert.deepEqual([encoded.length, made], [2, 3]);
  });
});
