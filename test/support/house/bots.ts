import { botsAdmin } from '../../../src/container/door/bots.js';
import { of } from '../../../src/container/tokens.js';
import type { UserId } from '../../../src/kernel/ids.js';
import type { RpcName, Rpcs } from '../../../src/gen/rpcs.js';
import type { Update } from '../../../src/gen/updates.js';
import { isRejection } from '../../../src/kernel/decider.js';
import { settled as allHaveGoneOn } from '../nodeTimers.js';
import type { House } from './house.js';
import type { Node } from './node.js';
import { seatAt, type Answer } from './seat.js';

/** A bot that the operator made, connected to a node by its token. */
export type BotSeat = {
  readonly user: UserId;
  readonly token: string;
  ask<Name extends RpcName>(name: Name, request: Rpcs[Name]['requestInit']): Promise<Answer<Name>>;
  must<Name extends RpcName>(name: Name, request: Rpcs[Name]['requestInit']): Promise<Rpcs[Name]['response']>;
  heard(): readonly Update[];
  /** Once all that was sent to it has come. */
  caughtUp(): Promise<void>;
  close(): Promise<void>;
};

export const madeBot = async (
  node: Node,
  owner: UserId,
  name = 'Beep',
): Promise<{ readonly user: UserId; readonly token: string }> => {
  const made = await botsAdmin(node.get).create({ name, owner: owner.toString() });
  if ('objection' in made) throw new Error(made.objection);
  return { user: BigInt(made.id) as UserId, token: made.token };
};

export const connectBot = async (
  here: House,
  node: Node,
  { user, token }: { readonly user: UserId; readonly token: string },
): Promise<BotSeat> => {
  const seat = seatAt(node.get(of.gateway).sockets);
  const ask: BotSeat['ask'] = async (name, request) => {
    const answer = await seat.ask(name, request);
    await here.settled();
    return answer;
  };
  const must: BotSeat['must'] = async (name, request) => {
    const answer = await ask(name, request);
    if (isRejection(answer)) throw new Error(`${name} was refused: ${answer.rejected} ${answer.detail ?? ''}`);
    return answer;
  };
  const close = (): Promise<void> => {
    seat.close();
    return allHaveGoneOn();
  };
  await must('authAuthorize', { token });
  seat.heard();
  return { user, token, ask, must, heard: seat.heard, caughtUp: seat.settled, close };
};

/** Made and connected. */
export const botAt = async (here: House, node: Node, owner: UserId): Promise<BotSeat> =>
  connectBot(here, node, await madeBot(node, owner));
