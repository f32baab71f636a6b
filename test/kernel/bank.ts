import { randomUUID } from 'node:crypto';
import { memoryEventLog } from '../../src/adapters/eventLog/memory.js';
import { systemIds } from '../../src/adapters/system/ids.js';
import { eventCodec } from '../../src/kernel/codec.js';
import { reject, type Command, type Decider } from '../../src/kernel/decider.js';
import { declareEvents, type EventsOf } from '../../src/kernel/declareEvents.js';
import { executor, type Execute } from '../../src/kernel/execute.js';
import { foldedStreams } from '../../src/kernel/foldedStreams.js';
import type { Millis, UserId } from '../../src/kernel/ids.js';
import type { WrittenEvent } from '../../src/kernel/personal.js';
import type { EventLog } from '../../src/kernel/ports/eventLog.js';
import { count, id, text } from '../../src/kernel/schema.js';
import type { Sealer } from '../../src/kernel/ports/sealer.js';
import { plainSealer } from '../support/plainSealer.js';

type OfOwner = { readonly owner: UserId };
const inCommon = {
  stream: ({ owner }: OfOwner) => `bank-${owner.toString()}`,
  about: () => 'nobody',
  sealedFor: ({ owner }: OfOwner) => ({ subject: owner, scope: 'bank' }),
};
export const bankEvents = declareEvents('banks', inCommon, {
  CoinsPaidIn: {
    says: 'Coins were paid in.',
    fields: { owner: id<UserId>('user'), coins: count },
    personal: { note: text },
  },
});
type CoinsPaidIn = EventsOf<typeof bankEvents>;
export type BankCommand =
  | Command<'PayIn', { readonly owner: UserId; readonly coins: number; readonly note: string }>
  | Command<'FillUp', { readonly owner: UserId; readonly to: number }>
  | Command<'Open', { readonly owner: UserId }>;

const paidIn = (owner: UserId, coins: number, note = ''): WrittenEvent<CoinsPaidIn> => ({
  type: 'CoinsPaidIn',
  data: { owner, coins, note },
});

export const bank: Decider<BankCommand, number, CoinsPaidIn> = {
  stream: ({ data }) => bankEvents.CoinsPaidIn.stream(data),
  initial: 0,
  evolve: { CoinsPaidIn: (sum, { data }) => sum + data.coins },
  begins: ['Open'],
  rules: {
    PayIn: ({ owner, coins, note }, sum) => (sum + coins > 100 ? reject('TOO_MANY') : [paidIn(owner, coins, note)]),
    FillUp: ({ owner, to }, sum) => (sum >= to ? [] : [paidIn(owner, to - sum)]),
    Open: ({ owner }, sum) => (sum === 0 ? [paidIn(owner, 1)] : []),
  },
};

export const ada = 7n as UserId;
export const now = (): Millis => 1_767_225_600_000 as Millis;

export type Node = { readonly log: EventLog; readonly execute: Execute };
export const node = (log: EventLog = memoryEventLog({ now }), sealer: Sealer = plainSealer()): Node => {
  const ids = systemIds(() => 1n);
  const codec = eventCodec([bankEvents.CoinsPaidIn], sealer);
  const streams = foldedStreams({ log, codec, sealer });
  return { log, execute: executor({ log, codec, sealer, clock: { now }, ids, streams }) };
};

export const cause = (commandId: string = randomUUID()) => ({ commandId, correlationId: 'c' });
export const payIn = (coins: number, owner = ada): BankCommand => ({
  type: 'PayIn',
  data: { owner, coins, note: 'x' },
});
export const fillUp = (to: number, owner = ada): BankCommand => ({ type: 'FillUp', data: { owner, to } });
