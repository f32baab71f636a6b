import { setTimeout as pause } from 'node:timers/promises';
import type { RPCResult } from '../../src/gen/core.js';
import type { Update } from '../../src/gen/updates.js';
import type { ChatRefInit } from '../../src/gen/refs.js';
import { serveCalls } from './helper.js';
import { authorized, foundedBy, inParallel, isLost, signedUp, type Channel, type RawClient } from './rawClient.js';
import { sharedMillis } from './sharedClock.js';
import { rounded, spreadOf, type Spread } from './statistics.js';

/** Users who do nothing out of the ordinary, while somebody else attacks the server. */
type Bystander = { readonly client: RawClient; readonly token: string; readonly chatRef: ChatRefInit };

/** The requests of all bystanders: the time from sending to the answer, in milliseconds. */
export type Service = Spread & {
  readonly sent: number;
  readonly refused: number;
  /** Requests without an answer: the connection was closed, the answer did not come, or too many were under way. */
  readonly lost: number;
  /** Connections of bystanders that are not open any more. */
  readonly closed: number;
  /** Messages of others: how often one was told, the longest time until then, and how many took over a second or never came. */
  readonly told: number;
  readonly toldMillisMax: number;
  readonly late: number;
};

/** Connecting anew: the time from opening the socket until the session is there, in milliseconds. */
export type Arrivals = Spread & { readonly tried: number; readonly failed: number };

/** Less than the burst that the limit on messages allows: requests that were held up come all at once. */
const underWayMax = 40;
const lastAnswerMillisMax = 30_000;
const lastTellingMillisMax = 3_000;
const newcomerMillis = 500;
const newcomerMillisMax = 10_000;
const lookMillis = 20;
const lateMillis = 1_000;
/** Of the requests of each; the others are messages. */
const readEvery = 4;
const pageMessages = 20;
/** Each has an address of its own, as people have. */
const addressOf = (at: number): string => `127.1.0.${(at + 1).toString()}`;

const bystanders: Bystander[] = [];
let listener: RawClient | undefined;
let nonce = 0n;

const signUp = async (what: { readonly port: number; readonly count: number }): Promise<Channel> => {
  const names = Array.from({ length: what.count }, (_, at) => `Bystander ${at.toString()}`);
  const users = await inParallel([...names.entries()], what.count, ([at, name]) =>
    signedUp({ port: what.port, mayClose: true, localAddress: addressOf(at) }, name),
  );
  const [owner, ...others] = users;
  if (owner === undefined) throw new Error('there must be a bystander');
  const channel = await foundedBy(owner.client, 'A quiet place');
  for (const { client } of others) await client.call('authUseInvite', { code: channel.invite });
  const { communityId, channelId } = channel;
  const places: readonly ChatRefInit[] = [{ channel: { communityId, channelId } }, { self: {} }];
  for (const [at, { client, token }] of users.entries()) {
    bystanders.push({ client, token, chatRef: places[at % places.length] ?? { self: {} } });
  }
  for (const { client } of users) client.onUpdate = noteTold;
  owner.client.onUpdate = (update) => {
    noteTold(update);
    noteEdit(update);
  };
  return channel;
};

const greeting = 'Good day at ';

const noteTold = ({ messageCreated }: Update): void => {
  const text = messageCreated?.message?.message;
  if (text?.startsWith(greeting)) phase?.wasTold(Number(text.slice(greeting.length)));
};

/** The requests between `begin` and `end`, and their answers. */
class Phase {
  stopped = false;
  /** When each was sent, by its nonce. */
  private readonly underWay = new Map<bigint, number>();
  private readonly times: number[] = [];
  private sent = 0;
  private refused = 0;
  private lost = 0;
  /** Tellings that are to come, and those that came. */
  private toTell = 0;
  private told = 0;
  private toldMillisMax = 0;
  private late = 0;
  private readonly from = performance.now();

  wasTold(atMillis: number): void {
    // What was sent in an earlier phase is none of this one's.
    if (atMillis < this.from) return;
    const millis = performance.now() - atMillis;
    this.told += 1;
    this.toldMillisMax = Math.max(this.toldMillisMax, millis);
    this.late += Number(millis > lateMillis);
  }

  /** One bystander, at an even pace, however long the answers take. */
  async pace({ client, chatRef }: Bystander, firstAt: number, everyMillis: number): Promise<void> {
    let own = 0;
    let turn = 0;
    for (let due = firstAt; ; due += everyMillis) {
      await pause(Math.max(0, due - performance.now()));
      if (this.stopped) return;
      this.sent += 1;
      if (own >= underWayMax) {
        this.lost += 1;
        continue;
      }
      own += 1;
      turn += 1;
      const asked = turn % readEvery === 0 ? this.read(client, chatRef) : this.send(client, chatRef);
      void asked.then(() => {
        own -= 1;
      });
    }
  }

  async end(): Promise<Service> {
    this.stopped = true;
    const until = performance.now() + lastAnswerMillisMax;
    while (this.underWay.size > 0 && performance.now() < until) await pause(lookMillis);
    const toldUntil = performance.now() + lastTellingMillisMax;
    while (this.told < this.toTell && performance.now() < toldUntil) await pause(lookMillis);
    this.lost += this.underWay.size;
    // The time of a request that was never answered is at least this.
    for (const at of this.underWay.values()) this.times.push(performance.now() - at);
    const { sent, refused, lost, told } = this;
    const closed = bystanders.filter(({ client }) => !client.socket.isOpen).length;
    const late = this.late + Math.max(0, this.toTell - told);
    const toldMillisMax = rounded(this.toldMillisMax);
    return { sent, refused, lost, closed, told, toldMillisMax, late, ...spreadOf(this.times) };
  }

  private send(client: RawClient, chatRef: ChatRefInit): Promise<void> {
    const message = `${greeting}${performance.now().toString()}`;
    return this.answered((clientId, done) => {
      client.ask('messagesSendMessage', { chatRef, message, clientId }, (result) => {
        if (result.error === undefined && chatRef.channel !== undefined) this.toTell += bystanders.length - 1;
        done(result);
      });
    });
  }

  private read(client: RawClient, chatRef: ChatRefInit): Promise<void> {
    return this.answered((_, done) => {
      client.ask('messagesGetHistory', { chatRef, limit: pageMessages }, done);
    });
  }

  private answered(ask: (nonce: bigint, done: (result: RPCResult) => void) => void): Promise<void> {
    nonce += 1n;
    const own = nonce;
    const at = performance.now();
    this.underWay.set(own, at);
    return new Promise((resolve) => {
      ask(own, (result) => {
        this.underWay.delete(own);
        if (isLost(result)) this.lost += 1;
        else this.times.push(performance.now() - at);
        if (result.error !== undefined && !isLost(result)) this.refused += 1;
        resolve();
      });
    });
  }
}

let phase: Phase | undefined;

const begin = ({ perSecond }: { readonly perSecond: number }): void => {
  const begun = new Phase();
  phase = begun;
  const everyMillis = 1_000 / perSecond;
  const start = performance.now();
  for (const [at, bystander] of bystanders.entries()) {
    void begun.pace(bystander, start + (everyMillis * at) / bystanders.length, everyMillis);
  }
};

const end = async (): Promise<Service> => {
  if (phase === undefined) throw new Error('nothing has begun');
  return phase.end();
};

/** When the updates about the edits came, by the whole text of the message. */
const editedAt = new Map<string, number>();

const noteEdit = ({ message }: Update): void => {
  const text = message?.message?.message;
  if (text !== undefined) editedAt.set(text, sharedMillis());
};

const edits = async ({ texts }: { readonly texts: readonly string[] }): Promise<Float64Array> => {
  const until = performance.now() + lastAnswerMillisMax;
  while (texts.some((text) => !editedAt.has(text)) && performance.now() < until) await pause(lookMillis);
  return Float64Array.from(texts, (text) => editedAt.get(text) ?? Number.NaN);
};

type From = { readonly port: number; readonly localAddress: string };

/** Somebody who has an account and connects anew, from this address. */
const arrive = async ({ port, localAddress }: From, token: string): Promise<number> => {
  const at = performance.now();
  const arriving = authorized({ port, localAddress, mayClose: true }, token);
  const taken = arriving.then((client) => {
    const millis = performance.now() - at;
    client.leave();
    return millis;
  });
  return Promise.race([taken, pause(newcomerMillisMax, Number.NaN)]);
};

let arriving = false;
let arrivals: Promise<Arrivals>[] = [];

/** Tries at an even pace until `newcomersEnd`. */
const arriveOften = async (from: From, token: string): Promise<Arrivals> => {
  const tries: Promise<number>[] = [];
  while (arriving) {
    tries.push(arrive(from, token).catch(() => Number.NaN));
    await pause(newcomerMillis);
  }
  const taken = (await Promise.all(tries)).filter((millis) => !Number.isNaN(millis));
  return { tried: tries.length, failed: tries.length - taken.length, ...spreadOf(taken) };
};

const calls = {
  signUp,
  /** All bystanders send at this pace, each of them, until `end`. */
  begin,
  end: (): Promise<Service> => end(),
  /** Listens to the updates of one more session; those of the first bystander are listened to anyway. */
  listen: async ({ port, token }: { readonly port: number; readonly token: string }): Promise<void> => {
    listener = await authorized({ port, mayClose: true }, token);
    listener.onUpdate = noteEdit;
  },
  /** When the edits to these texts came, on the shared clock; not a number for one that never came. */
  edits,
  newcomersBegin: ({ port, addresses }: { readonly port: number; readonly addresses: readonly string[] }): void => {
    const token = bystanders[0]?.token ?? '';
    arriving = true;
    arrivals = addresses.map((localAddress) => arriveOften({ port, localAddress }, token));
  },
  newcomersEnd: (): Promise<readonly Arrivals[]> => {
    arriving = false;
    return Promise.all(arrivals);
  },
};

export type BystanderCalls = typeof calls;

serveCalls(calls);
