import { setTimeout as pause } from 'node:timers/promises';
import { CannotConnect, ConnectionLost, NotSent, RequestRefused, RequestTimedOut } from '../../../src/client/errors.js';
import { ChannelType } from '../../../src/gen/types.js';
import type { ChannelId, CommunityId } from '../../../src/kernel/ids.js';
import { reasons } from '../../../src/kernel/reasons.js';
import { inChannel } from '../places.js';
import type { History, Setup } from './history.js';
import { move, say, type OwnChannel, type Place, type Seat } from './moves.js';
import { Player, type Table } from './player.js';
import { randomFrom } from './random.js';
import { Recording } from './recording.js';

export type Run = {
  readonly urls: Table['urls'];
  /** At least two, and an even number. */
  readonly clients: number;
  readonly seed: number;
  readonly setup: Setup;
  /** Is called when the players begin, and resolves when they are to stop. */
  readonly during: (game: Game) => Promise<unknown>;
};

export interface Game {
  /** Resolves when the players have made so many moves altogether. */
  moved(this: void, moves: number): Promise<void>;
}

/** Lets clients write and read at random, and tells what they wrote, were told and read. */
export const played = async ({ urls, clients, seed, setup, during }: Run): Promise<History> => {
  const recording = new Recording();
  const table: Table = { recording, urls };
  const players = Array.from({ length: clients }, (_, index) => new Player(`P${index.toString()}`, table));
  const nodes = urls();
  await Promise.all(players.map((player, index) => player.come(nodes[index % nodes.length] ?? '')));
  const seats = await seated(players, seed);
  const counting = countedMoves();
  const game = { isOver: false, setup, moved: counting.move };
  const playing = Promise.all(seats.map((seat) => playOn(seat, game)));
  try {
    // Should a player fail, the others need not go on.
    await Promise.race([during(counting), playing]);
  } finally {
    game.isOver = true;
  }
  await playing;
  await toldAll(seats);
  const history = recording.history(setup);
  await Promise.all(players.map((player) => player.leave()));
  return history;
};

const countedMoves = (): Game & { readonly move: () => void } => {
  const waiting = new Map<number, () => void>();
  let made = 0;
  return {
    move: () => {
      made += 1;
      waiting.get(made)?.();
    },
    moved: (moves) =>
      new Promise((resolve) => {
        if (made >= moves) resolve();
        else waiting.set(moves, resolve);
      }),
  };
};

type Going = { readonly isOver: boolean; readonly setup: Setup; readonly moved: () => void };

const playOn = async (seat: Seat, game: Going): Promise<void> => {
  while (!game.isOver) {
    try {
      if (!seat.player.isHere) await seat.player.comeBack();
      await move(seat);
    } catch (error) {
      // What was refused, or has an unknown outcome, is recorded as what maybe happened.
      if (!isExpected(error, game.setup)) throw error;
    }
    game.moved();
    await pause(seat.random() * pauseMillisMax);
  }
  await seat.player.comeBack();
};
const pauseMillisMax = 5;

/**
 * Edits of one message are paced, and a server that cannot serve for now says so, on a busy machine also where nothing is
 * wrong. Where a node was killed it is gone.
 */
const isExpected = (error: unknown, setup: Setup): boolean => {
  if (error instanceof RequestRefused) {
    return [reasons.RATE_LIMITED.code, reasons.UNAVAILABLE.code].some((code) => code === error.code);
  }
  return (
    setup === 'many nodes' &&
    [ConnectionLost, NotSent, RequestTimedOut, CannotConnect].some((kind) => error instanceof kind)
  );
};

/** When everybody has heard of the last message, everybody has heard of all before it. */
const toldAll = async (seats: readonly Seat[]): Promise<void> => {
  const [seat] = seats;
  const place = seat?.channels[0];
  if (seat === undefined || place === undefined) return;
  const last = await say(seat, place);
  for (let tries = 0; !seats.every(({ player }) => player.heard(last)); tries += 1) {
    // Whoever was told too little is found by the judge.
    if (tries === lastTriesMax) return;
    await pause(lastMillis);
  }
};
const lastMillis = 50;
const lastTriesMax = 200;

const channelsMade = 3;

const seated = async (players: readonly Player[], seed: number): Promise<readonly Seat[]> => {
  const [owner, ...others] = players;
  if (owner === undefined) throw new Error('nobody plays');
  const community = await founded(owner, others);
  const made: OwnChannel[] = [];
  for (let index = 0; index < channelsMade; index += 1) made.push(await channelMade(owner, community, index));
  const channels = made.map(({ thing: chat, id }): Place => ({ chat, ref: inChannel(community, id) }));
  return players.map((player, index) => ({
    player,
    community,
    channels,
    partner: partnerOf(players, index),
    others: players.filter((other) => other !== player),
    // Things have one author, and the owner alone may rename channels.
    ownChannels: player === owner ? made : [],
    renamed: made.map(({ thing }) => thing),
    random: randomFrom(seed * seedsApart + index),
    own: [],
    marks: new Map(),
    sent: 0,
    profile: 0,
  }));
};
const seedsApart = 1_000;

const founded = async (owner: Player, others: readonly Player[]): Promise<CommunityId> => {
  await patiently(() => owner.call('communities.createCommunity', { name: 'Town' }));
  const { communities } = await owner.call('communities.getCommunities', {});
  const community = communities[0]?.id;
  if (community === undefined) throw new Error('what was just made is not there');
  const { channels } = await owner.call('communities.getChannels', { communityId: community });
  const { code } = await owner.call('chats.createChatInvite', {
    chatRef: inChannel(community, channels.find(isText)?.id ?? (0n as ChannelId)),
  });
  for (const other of others) await patiently(() => other.call('auth.useInvite', { code }));
  return community;
};

/** A server that has just started may not serve for a moment, on a busy machine. */
const patiently = async <T>(work: () => Promise<T>): Promise<T> => {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries === patienceTriesMax || !isExpected(error, 'one node')) throw error;
      await pause(patienceMillis);
    }
  }
};
const patienceTriesMax = 20;
const patienceMillis = 500;

const isText = ({ type }: { readonly type: ChannelType }): boolean => type === ChannelType.TEXT;

const channelMade = async (owner: Player, communityId: CommunityId, index: number): Promise<OwnChannel> => {
  const { recording } = owner.table;
  const thing = `renamed-${index.toString()}`;
  const name = `${thing}-1`;
  const begun = recording.moment();
  await patiently(() => owner.call('communities.createChannel', { communityId, name, type: ChannelType.TEXT }));
  const write = { session: owner.name, begun, acknowledged: recording.moment() };
  recording.wrote({ ...write, things: new Map([[thing, 1]]), telling: 'latest' });
  const { channels } = await owner.call('communities.getChannels', { communityId });
  const id = channels.find((channel) => channel.name === name)?.id;
  if (id === undefined) throw new Error('what was just made is not there');
  return { thing, id, version: 1 };
};

/** Two by two they write to each other directly. */
const partnerOf = (players: readonly Player[], index: number): Seat['partner'] => {
  const pair = [index & ~1, index | 1].flatMap((one) => players[one] ?? []);
  const other = pair.find((one) => one !== players[index]);
  if (other === undefined) throw new Error('the number of players is odd');
  const names = pair.map(({ name }) => name);
  const ref = { user: { userId: other.user } };
  return { user: other.user, place: { chat: names.join(' and '), ref, audience: new Set(names) } };
};
