import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { isRejection, type Rejection } from '../../kernel/decider.js';
import type { UserId } from '../../kernel/ids.js';
import type { NamedFile } from '../files/streaming.js';
import type { FileStore } from '../files/fileStore.js';
import type { SlowReader, SlowReaders } from '../sockets/slowReaders.js';
import { socketIdOf, untakenBytes } from '../sockets/socketProgress.js';
import type { ByteRange } from './byteRange.js';
import type { Headers } from './fileHeaders.js';
import type { WebCall } from './webCalls.js';

export type AnswerNeeds = {
  readonly files: Pick<FileStore, 'next'>;
  readonly slowReaders: Pick<SlowReaders, 'fellBehind' | 'forget'>;
  /** A client that does not read was cut. */
  readonly cut: (user: UserId, bytes: number) => void;
};

export type FileAnswer = {
  readonly status: 200 | 206;
  readonly headers: Headers;
  readonly seen: NamedFile;
  readonly range: ByteRange;
  /** The bytes with which it begins, where they were read before. */
  readonly first?: Uint8Array;
};

/**
 * Sends bytes of a file, one part at a time: the next is read once the client has taken the last. Before each the rights and the
 * budgets are asked again. When a part turns out damaged, or the right is lost, an answer that has begun is cut, so that nobody takes
 * it for the whole. Gives a refusal where nothing was sent yet.
 */
export const sendBytes = async (
  needs: AnswerNeeds,
  { call, goOn }: WebCall,
  begin: () => ServerResponse,
  { status, headers, seen, range, first: known }: FileAnswer,
): Promise<Rejection | undefined> => {
  const next = (from: number): Promise<Uint8Array | Rejection> => needs.files.next(call, { seen, from, to: range.to });
  const first = known ?? (range.from === range.to ? new Uint8Array(0) : await next(range.from));
  if (isRejection(first)) return first;
  const raw = begin();
  const socket = await socketOf(raw);
  // A client that is gone has no answer.
  if (socket === null || raw.destroyed) return undefined;
  const reader = new AnswerReader(needs, { raw, socket, user: call.caller.user });
  raw.writeHead(status, { ...headers, ...lengthOf(seen, range, status) });
  let from = range.from + first.length;
  await reader.take(first);
  while (from < range.to && !reader.isGone) {
    const piece = (await goOn()) ?? (await next(from));
    if (isRejection(piece)) {
      reader.destroy();
      return undefined;
    }
    from += piece.length;
    await reader.take(piece);
  }
  await reader.finish();
  return undefined;
};

/** An answer has its socket once those to the requests before it on the same connection were sent. None where the client went before. */
const socketOf = async (raw: ServerResponse): Promise<Socket | null> => {
  const connection = raw.req.socket;
  if (raw.socket === null && !connection.destroyed) {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        raw.off('socket', done);
        connection.off('close', done);
        resolve();
      };
      raw.on('socket', done);
      connection.on('close', done);
    });
  }
  return raw.socket;
};

const lengthOf = ({ bytes }: NamedFile, { from, to }: ByteRange, status: 200 | 206): Headers => ({
  'content-length': (to - from).toString(),
  ...(status === 206 && { 'content-range': `bytes ${from.toString()}-${(to - 1).toString()}/${bytes.toString()}` }),
});

type Answering = { readonly raw: ServerResponse; readonly socket: Socket; readonly user: UserId };

/** The client of an answer, which is cut as those of WebSockets are when it does not read. */
class AnswerReader implements SlowReader {
  readonly user: UserId;
  private readonly needs: AnswerNeeds;
  private readonly raw: ServerResponse;
  private readonly socket: Socket;

  constructor(needs: AnswerNeeds, { raw, socket, user }: Answering) {
    this.needs = needs;
    this.raw = raw;
    this.socket = socket;
    this.user = user;
    // The timeout of the server does not see what the system has taken and the client has not; the sweep of slow readers does.
    socket.setTimeout(0);
  }

  get isGone(): boolean {
    return this.raw.destroyed || this.socket.destroyed;
  }

  get unsentBytes(): number {
    return this.raw.writableLength;
  }

  get untakenBytes(): number {
    return untakenBytes(this.socket);
  }

  get socketId(): number | undefined {
    return socketIdOf(this.socket);
  }

  cut(): void {
    this.needs.cut(this.user, this.unsentBytes);
    this.destroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Resolves when the socket has taken the bytes, or is closed. */
  async take(bytes: Uint8Array): Promise<void> {
    if (this.isGone || bytes.length === 0 || this.raw.write(bytes)) return;
    await this.taken('drain');
  }

  async finish(): Promise<void> {
    if (this.isGone) return;
    this.raw.end();
    if (!this.raw.writableFinished) await this.taken('finish');
  }

  private async taken(event: 'drain' | 'finish'): Promise<void> {
    this.needs.slowReaders.fellBehind(this);
    if (!this.isGone) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.raw.off(event, done).off('close', done);
          resolve();
        };
        this.raw.on(event, done).on('close', done);
      });
    }
    this.needs.slowReaders.forget(this);
  }
}
