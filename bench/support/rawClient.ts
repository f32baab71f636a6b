import { setTimeout as pause } from 'node:timers/promises';
import type { RPCResult } from '../../src/gen/core.js';
import type { RpcName, Rpcs } from '../../src/gen/rpcs.js';
import type { Update } from '../../src/gen/updates.js';
import type { ChannelId, CommunityId, UserId } from '../../src/kernel/ids.js';
import { encodeRequest, readServerMessage } from '../../src/wire/envelope.js';
import { maskedFrame, openRawSocket, type Entrance, type RawSocket } from './rawSocket.js';

/** A user of the server under test. Answers are read, updates only counted unless somebody listens to them. */
export class RawClient {
  readonly socket: RawSocket;
  onUpdate: ((update: Update) => void) | undefined;
  private lastId = 0;
  private readonly asked = new Map<number, Answered>();
  private lost = false;

  constructor(socket: RawSocket) {
    this.socket = socket;
    socket.onPayload = (payload) => {
      if (isResult(payload)) this.answered(payload);
      else if (this.onUpdate !== undefined) this.updated(payload, this.onUpdate);
    };
    if (!socket.mayClose) return;
    socket.onClosed = () => {
      this.lose();
    };
    // A server that is full says so in the same read in which the connection opened.
    if (!socket.isOpen) this.lose();
  }

  /** Rejects when the server refuses. */
  async call<Name extends RpcName>(name: Name, request: Rpcs[Name]['requestInit']): Promise<RPCResult> {
    const result = await this.answerTo(name, request);
    checkAnswer(name, result);
    return result;
  }

  /** Asks again, for half a minute, while the server says that it cannot serve right now, as clients of people do. */
  async callPatiently<Name extends RpcName>(name: Name, request: Rpcs[Name]['requestInit']): Promise<RPCResult> {
    for (let tries = 1; ; tries += 1) {
      const result = await this.answerTo(name, request);
      if (result.error?.errorCode !== unavailableCode || tries === patientTries) {
        checkAnswer(name, result);
        return result;
      }
      await pause(patientMillis);
    }
  }

  private answerTo<Name extends RpcName>(name: Name, request: Rpcs[Name]['requestInit']): Promise<RPCResult> {
    return new Promise((resolve) => {
      this.ask(name, request, resolve);
    });
  }

  ask<Name extends RpcName>(name: Name, request: Rpcs[Name]['requestInit'], answered: Answered): void {
    this.lastId += 1;
    this.askBytes(this.lastId, maskedFrame(encodeRequest(this.lastId, name, request)), answered);
  }

  /** Sends a frame that was made beforehand and has this id in it. */
  askBytes(id: number, frame: Uint8Array, answered: Answered): void {
    if (this.lost) {
      answered(lostResult(id));
      return;
    }
    this.asked.set(id, answered);
    this.socket.sendBytes(frame);
  }

  /** Closes the connection. Requests under way are answered with a result that `isLost`. */
  leave(): void {
    this.socket.close();
    this.lose();
  }

  /** From here on nothing is looked into: no answers any more. */
  onlyCount(): void {
    this.socket.onPayload = undefined;
  }

  private lose(): void {
    this.lost = true;
    const open = [...this.asked];
    this.asked.clear();
    for (const [id, answered] of open) answered(lostResult(id));
  }

  private updated(payload: Buffer, listener: (update: Update) => void): void {
    const frame = readServerMessage(payload);
    if (frame.kind === 'update') listener(frame.update);
  }

  private answered(payload: Buffer): void {
    const frame = readServerMessage(payload);
    if (frame.kind !== 'result') throw new Error(`the server sent what cannot be read: ${frame.kind}`);
    const { reqId } = frame.result;
    this.asked.get(reqId)?.(frame.result);
    this.asked.delete(reqId);
  }
}

type Answered = (result: RPCResult) => void;

/** Whether this is our own result for a request that the server cannot answer any more: the connection is closed. */
export const isLost = ({ error }: RPCResult): boolean => error?.errorCode === lostCode;

/** No error of the protocol has it. */
const lostCode = 0;

const unavailableCode = 503;
const patientMillis = 500;
const patientTries = 60;

/** The code of requests that come too early, and may be made again. */
export const tooEarlyCode = 429;

const lostResult = (reqId: number): RPCResult => ({
  reqId,
  error: { errorCode: lostCode, errorMessage: 'the connection is closed' },
});

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

export type Introduction = Entrance & { readonly port: number; readonly noSubscribe?: boolean };

/** Not signed in yet. Rejects, and leaves no connection, when the server refuses. */
export const connected = async ({ port, noSubscribe = false, ...entrance }: Introduction): Promise<RawClient> => {
  const client = new RawClient(await openRawSocket(port, entrance));
  const device = { deviceType: 'bench', deviceVersion: '1', appVersion: '1' };
  return orLeave(client, async () => {
    await client.call('coreInitialize', { clientId: 1, ...device, noSubscribe });
    return client;
  });
};

const orLeave = async <Result>(client: RawClient, work: () => Promise<Result>): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    client.leave();
    throw error;
  }
};

/** A guest: without a password, which would be slow to hash on purpose. */
export const signedUp = async (
  introduction: Introduction,
  name: string,
): Promise<{ client: RawClient; token: string; id: UserId | undefined }> => {
  const client = await connected(introduction);
  return orLeave(client, async () => {
    const { authorization } = await client.call('authSignUp', { name });
    return { client, token: authorization?.token ?? '', id: authorization?.user?.id };
  });
};

export const authorized = async (introduction: Introduction, token: string): Promise<RawClient> => {
  const client = await connected(introduction);
  return orLeave(client, async () => {
    await client.call('authAuthorize', { token });
    return client;
  });
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
