import { UserStatusStatus } from '../../src/gen/types.js';
import type { Update } from '../../src/gen/updates.js';
import type { MessageId } from '../../src/kernel/ids.js';
import type { Node, Nodes } from '../support/deployments.js';
import { inChannel, type Town } from './places.js';
import { operatorUrl, portIn } from '../support/operatorPorts.js';
import type { Seat } from './seat.js';

/** What /readyz of the operator's port says of a node. */
export type Report = {
  readonly ready: boolean;
  readonly node: number | null;
  readonly role: string;
  readonly log: string;
  readonly otherNodes: string;
};

export const readiness = async ({ url }: Node): Promise<Report> => {
  const answer = await fetch(operatorUrl(portIn(url), 'readyz'));
  // What /readyz says is described with the server.
  return (await answer.json()) as Report;
};

export const pair = (nodes: Nodes): readonly [Node, Node] => {
  const [one, other] = nodes.nodes;
  if (one === undefined || other === undefined) throw new Error('there are no two nodes');
  return [one, other];
};

export const isText =
  (wanted: string) =>
  ({ messageCreated }: Update): boolean =>
    messageCreated?.message?.message === wanted;

const isAbout = ({ user }: Seat, { userStatus }: Update): boolean => userStatus?.userId === user;

export const isOnline =
  (seat: Seat) =>
  (update: Update): boolean =>
    isAbout(seat, update) && update.userStatus?.status?.status === UserStatusStatus.ONLINE;

export const isGone =
  (seat: Seat) =>
  (update: Update): boolean =>
    isAbout(seat, update) && update.userStatus?.status?.status === undefined;

/** What somebody who has just come sees of a chat, by id. */
export const everythingIn = async (seat: Seat, town: Town): Promise<readonly MessageId[]> => {
  const chatRef = inChannel(town.community, town.general);
  const ids: MessageId[] = [];
  for (;;) {
    const since = ids.at(-1) ?? (1n as MessageId);
    const { messages } = await seat.do('messagesGetHistory', { chatRef, since, limit: 100 });
    if (messages.length === 0) return ids;
    ids.push(...messages.map(({ messageId }) => messageId).toSorted((one, next) => (one < next ? -1 : 1)));
  }
};
