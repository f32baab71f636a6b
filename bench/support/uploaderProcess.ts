import { serveCalls } from './helper.js';
import { plainKind, plainRequestBytes } from './plainParts.js';
import { checkAnswer, inParallel, signedUp, type RawClient } from './rawClient.js';
import { openRawSocket, type RawSocket } from './rawSocket.js';

/** Clients that send files and load them again, each at its own pace: the next part when one of those before is answered. */

/** What clients take and send in one piece. */
const partBytes = 524_288;

export type Transfer = {
  readonly fileBytes: number;
  /** Parts of each client that are on their way at a time. */
  readonly underWay: number;
};

const pattern = Buffer.from(Uint8Array.from({ length: partBytes }, (_, at) => (at * 31 + (at >> 8)) % 256));

const partsOf = ({ fileBytes }: Transfer): readonly number[] => [...Array(Math.ceil(fileBytes / partBytes)).keys()];

const partAt = (part: number, { fileBytes }: Transfer): Buffer =>
  pattern.subarray(0, Math.min(partBytes, fileBytes - part * partBytes));

const check = (data: Uint8Array | undefined, part: number, transfer: Transfer): void => {
  if (data === undefined || !partAt(part, transfer).equals(data)) throw new Error(`part ${part.toString()} is another`);
};

let clients: readonly RawClient[] = [];
let plain: readonly PlainClient[] = [];
let uploads = 0n;

const signUp = async ({ port, count }: { readonly port: number; readonly count: number }): Promise<void> => {
  const users = await inParallel([...Array(count).keys()], 8, (at) =>
    signedUp({ port, localAddress: `127.2.${(at >> 7).toString()}.${((at & 127) + 1).toString()}` }, 'Uploader'),
  );
  clients = users.map(({ client }) => client);
};

const savedMessages = { self: {} } as const;

/** Rejects when a part is refused; a server that is busy with others may ask to come again. */
const uploadBy = async (client: RawClient, transfer: Transfer): Promise<void> => {
  uploads += 1n;
  const uploadId = uploads;
  const parts = partsOf(transfer);
  await inParallel(parts, transfer.underWay, (part) =>
    client.call('mediaUploadFilePart', { uploadId, part, data: partAt(part, transfer) }),
  );
  const file = { id: uploadId, name: 'file.bin', partCount: parts.length };
  const media = [{ uploaded: { file, mimetype: 'application/octet-stream', metadata: { file: {} } } }];
  await client.call('messagesSendMessage', { chatRef: savedMessages, media });
};

const downloadBy = async (client: RawClient, transfer: Transfer): Promise<void> => {
  const { messages } = await client.call('messagesGetHistory', { chatRef: savedMessages, limit: 1 });
  const fileId = messages?.messages[0]?.media[0]?.file?.file?.fileId;
  if (fileId === undefined) throw new Error('the file is in no message');
  const fileRef = { mediaFile: { fileId } };
  await inParallel(partsOf(transfer), transfer.underWay, async (part) => {
    const range = { fileRef, offset: BigInt(part * partBytes), length: partBytes };
    // Its bytes are good until the callback ends.
    await new Promise<void>((resolve, reject) => {
      client.ask('mediaDownloadFilePart', range, (result) => {
        try {
          checkAnswer('mediaDownloadFilePart', result);
          check(result.filePart?.data, part, transfer);
          resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
  });
};

class PlainClient {
  private readonly socket: RawSocket;
  private readonly asked = new Map<number, (data: Buffer) => void>();

  constructor(socket: RawSocket) {
    this.socket = socket;
    socket.onPayload = (payload) => {
      const part = payload.readUInt32BE(1);
      this.asked.get(part)?.(payload.subarray(plainRequestBytes));
      this.asked.delete(part);
    };
  }

  ask(kind: number, part: number, data: Uint8Array): Promise<Buffer> {
    const request = Buffer.alloc(plainRequestBytes + data.length);
    request[0] = kind;
    request.writeUInt32BE(part, 1);
    request.set(data, plainRequestBytes);
    return new Promise((resolve) => {
      this.asked.set(part, (answer) => {
        resolve(Buffer.from(answer));
      });
      this.socket.send(request);
    });
  }
}

const plainUploadBy = (client: PlainClient, transfer: Transfer): Promise<unknown> =>
  inParallel(partsOf(transfer), transfer.underWay, (part) => client.ask(plainKind.store, part, partAt(part, transfer)));

const plainDownloadBy = (client: PlainClient, transfer: Transfer): Promise<unknown> =>
  inParallel(partsOf(transfer), transfer.underWay, async (part) => {
    check(await client.ask(plainKind.load, part, Buffer.alloc(0)), part, transfer);
  });

/** In seconds, until the last of them is through. */
const allOf = async <Client>(these: readonly Client[], work: (client: Client) => Promise<unknown>): Promise<number> => {
  const started = performance.now();
  await Promise.all(these.map(work));
  return (performance.now() - started) / 1_000;
};

const calls = {
  signUp,
  upload: (transfer: Transfer) => allOf(clients, (client) => uploadBy(client, transfer)),
  /** What each sent last. */
  download: (transfer: Transfer) => allOf(clients, (client) => downloadBy(client, transfer)),
  connectPlain: async ({ port }: { readonly port: number }): Promise<void> => {
    plain = [new PlainClient(await openRawSocket(port))];
  },
  plainUpload: (transfer: Transfer) => allOf(plain, (client) => plainUploadBy(client, transfer)),
  plainDownload: (transfer: Transfer) => allOf(plain, (client) => plainDownloadBy(client, transfer)),
};

export type UploaderCalls = typeof calls;

serveCalls(calls);
