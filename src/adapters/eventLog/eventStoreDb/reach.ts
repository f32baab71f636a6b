import { withDeadline } from '../../../kernel/timing.js';
import { openBatchAppend, type BatchAppendCall, type CallListener } from './batchAppend.js';
import type { EventStoreConnection } from './connection.js';
import { isNotLeader, Silence } from './failures.js';

/**
 * Opens the call for appends over the connection. Throws when that takes longer than `millis`; a call that comes about
 * after that is ended and not heard of. A call that breaks puts its client in doubt.
 */
export const reach = async (
  connection: EventStoreConnection,
  listener: CallListener,
  millis: number,
): Promise<BatchAppendCall> => {
  const { client, done } = connection.use();
  let tooLate = false;
  const leave = (error: unknown): void => {
    // The client finds a leader that has moved; anything else may be the connection's fault.
    if (!isNotLeader(error)) connection.renew(client);
    done();
  };
  const opening = openBatchAppend(client, {
    answered: listener.answered,
    broken: (error) => {
      leave(error);
      if (!tooLate) listener.broken(error);
    },
  });
  try {
    return await withDeadline(opening, millis, () => new Silence('the connection for appends', millis));
  } catch (error) {
    tooLate = true;
    leave(error);
    opening.then(
      (call) => call.giveUp(error),
      () => undefined,
    );
    throw error;
  }
};
