import { users } from '../../domain/users/decide.js';
import { userStream } from '../../domain/users/events.js';
import { isRejection, type Command, type Decider, type Rejection } from '../../kernel/decider.js';
import type { Event } from '../../kernel/event.js';
import type { UserId } from '../../kernel/ids.js';
import { reasons } from '../../kernel/reasons.js';
import { usernameKeyed, usernameTyped } from '../../kernel/username.js';
import { of, type Get } from '../tokens.js';

export const isId = (text: string): boolean => /^[1-9]\d{0,18}$/.test(text);

/** By id or username. Undefined where nobody carries the username; there may be nobody with the id. */
export const userNamed = (get: Get, named: string): Promise<UserId | undefined> =>
  isId(named) ? Promise.resolve(BigInt(named) as UserId) : holderOf(get, named);

const holderOf = async (get: Get, typed: string): Promise<UserId | undefined> => {
  const username = usernameTyped(typed.replace(/^@/, ''));
  if (username === undefined) return undefined;
  const names = get(of.names);
  const name = names.nameOf('username', usernameKeyed(username));
  const holder = await names.holderOf(name);
  const carried = holder && (await get(of.streams).caughtUp(userStream(holder), users)).state;
  // Only claimed, by somebody who may not come to carry it.
  return carried?.status === 'registered' && carried.username?.key === name.key ? holder : undefined;
};

/** Runs a command of the operator's. Undefined when it was carried out. */
export const runnerOf =
  (get: Get) =>
  async <C extends Command, State, E extends Event>(
    decider: Decider<C, State, E>,
    command: NoInfer<C>,
  ): Promise<Rejection | undefined> => {
    const commandId = get(of.ids).commandId();
    const outcome = await get(of.execute)(decider, command, { commandId, correlationId: commandId });
    return isRejection(outcome) ? outcome : undefined;
  };

/** As the operator is told it. */
export const objectionTo = ({ rejected, detail }: Rejection): { readonly objection: string } => ({
  objection: detail === undefined ? reasons[rejected].says : `${reasons[rejected].says}: ${detail}`,
});
