import type { RPCResult } from '../../src/gen/core.js';
import type { RpcName, Rpcs } from '../../src/gen/rpcs.js';
import type { ChannelId, CommunityId } from '../../src/kernel/ids.js';
import { encodeRequest, readServerMessage } from '../../src/wire/envelope.js';
import { openRawSocket, type RawSocket } from './rawSocket.js';

/** A user of the server under test. Answers are read, updates only counted. */
export class RawClient {
  readonly socket: RawSocket;
  private lastId = 0;
  private readonly asked = new Map<number, (result: RPCResult) => void>();

  constructor(socket: RawSocket) {
    this.socket = socket;
    socket.onPayload = (payload) => {
      if (isResult(payload)) this.answered(payload);
    };
  }

  /** Rejects when the server refuses. */
  async call<Name extends RpcName>(name: Name, request: Rpcs[Name]['requestInit']): Promise<RPCResult> {
    const result = await new Promise<RPCResult>((resolve) => {
      this.ask(name, request, resolve);
    });
    checkAnswer(name, result);
    return result;
  }

  ask<Name extends RpcName>(
    name: Name,
    request: Rpcs[Name]['requestInit'],
    answered: (result: RPCResult) => void,
  ): void {
    this.lastId += 1;
    this.asked.set(this.lastId, answered);
    this.socket.send(encodeRequest(this.lastId, name, request));
  }

  /** From here on nothing is looked into: no answers any more. */
  onlyCount(): void {
    this.socket.onPayload = undefined;
  }

  private answered(payload: Buffer): void {
    const frame = readServerMessage(payload);
    if (frame.kind !== 'result') throw new Error(`the server sent what cannot be read: ${frame.kind}`);
    const { reqId } = frame.result;
    this.asked.get(reqId)?.(frame.result);
    this.asked.delete(reqId);
  }
}

export const checkAnswer = (name: string, { error }: RPCResult): void => {
  if (error !== undefined) throw new Error(`${name}: ${error.errorMessage} (${error.errorCode.toString()})`);
};

const resultTag = 0x1a;

/** A ServerMessage is its id, a varint behind a tag, and then an update or a result. */
const isResult = (payload: Buffer): boolean => {
  let at = 1;
  while ((payload[at] ?? 0) > 127) at += 1;
  return payload[at + 1] === resultTag;
};

export type Introduction = { readonly port: number; readonly noSubscribe?: boolean };

const connected = async ({ port, noSubscribe = false }: Introduction): Promise<RawClient> => {
  const client = new RawClient(await openRawSocket(port));
  const device = { deviceType: 'bench', deviceVersion: '1', appVersion: '1' };
  await client.call('coreInitialize', { clientId: 1, ...device, noSubscribe });
  return client;
};

/** A guest: without a password, which would be slow to hash on purpose. */
export const signedUp = async (
  introduction: Introduction,
  name: string,
): Promise<{ client: RawClient; token: string }> => {
  const client = await connected(introduction);
  const { authorization } = await client.call('authSignUp', { name });
  return { client, token: authorization?.token ?? '' };
};

export const authorized = async (introduction: Introduction, token: string): Promise<RawClient> => {
  const client = await connected(introduction);
  await client.call('authAuthorize', { token });
  return client;
};

/** A community's first channel, and the way into it. */
export type Channel = { readonly communityId: CommunityId; readonly channelId: ChannelId; readonly invite: string };

export const foundedBy = async (owner: RawClient, name: string): Promise<Channel> => {
  await owner.call('communitiesCreateCommunity', { name });
  const { communities } = await owner.call('communitiesGetCommunities', {});
  const communityId = communities?.communities.at(-1)?.id;
  if (communityId === undefined) throw new Error('the community that was founded is not there');
  const { channels } = await owner.call('communitiesGetChannels', { communityId });
  const channelId = channels?.channels[0]?.id;
  if (channelId === undefined) throw new Error('the community has no channel');
  const chatRef = { channel: { communityId, channelId } };
  const { createdInvite } = await owner.call('chatsCreateChatInvite', { chatRef });
  return { communityId, channelId, invite: createdInvite?.code ?? '' };
};

/** Runs `work` for each item, at most `atOnce` at a time, and gives the results in order. */
export const inParallel = async <Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> => {
  const results: Result[] = [];
  const waiting = [...items.entries()].reverse();
  const worker = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
};
