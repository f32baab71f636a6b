import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it, type TestContext } from 'node:test';
import type { FileId } from '../../src/kernel/ids.js';
import { folderFor, serverProcess } from '../support/serverProcess.js';
import { savedMessages } from './places.js';
import { resume, signUp, type Seat } from './seat.js';

/** Each with a server of its own. `FILES_KILL_ROUNDS=20` tries more often. */
const rounds = Number(process.env['FILES_KILL_ROUNDS'] ?? 1);

const uploadsAtOnce = 50;
const partBytes = 20_000;

type Sent = { readonly id: bigint; readonly parts: readonly Buffer[]; acknowledged: number };

/** Until the server dies. Counts the parts that were acknowledged. */
const uploading = async (seat: Seat, sent: Sent): Promise<void> => {
  for (const [part, data] of sent.parts.entries()) {
    const { error } = await seat.ask('mediaUploadFilePart', { uploadId: sent.id, part, data });
    assert.equal(error, undefined);
    sent.acknowledged += 1;
  }
};

const whole = async (seat: Seat, fileId: FileId): Promise<Buffer> => {
  let found = Buffer.alloc(0);
  for (;;) {
    const asked = { fileRef: { mediaFile: { fileId } }, offset: BigInt(found.length), length: 1_048_576 };
    const { data } = await seat.do('mediaDownloadFilePart', asked);
    if (data.length === 0) return found;
    found = Buffer.concat([found, data]);
  }
};

const killed = async (t: TestContext): Promise<void> => {
  const environment = { OSMIUM_DATA_DIR: folderFor(t), OSMIUM_RATE_LIMITS: 'off' };
  const first = serverProcess(t, environment);
  const ada = await signUp(await first.ready, 'Ada');
  const sends: Sent[] = Array.from({ length: uploadsAtOnce }, (_, id) => ({
    id: BigInt(id + 1),
    parts: Array.from({ length: 6 }, () => randomBytes(partBytes)),
    acknowledged: 0,
  }));
  const all = sends.map((sent) => uploading(ada, sent).catch(() => undefined));
  while (sends.reduce((sum, { acknowledged }) => sum + acknowledged, 0) < 2 * uploadsAtOnce) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  first.kill('SIGKILL');
  await first.ended;
  void Promise.allSettled(all);
  const counts = sends.map(({ acknowledged }) => acknowledged);
  assert.ok(counts.some((count) => count < 6));

  const second = serverProcess(t, environment);
  const again = await resume(await second.ready, ada.token);
  // Half of them as far as they were acknowledged, the others to their end.
  for (const { id, parts, acknowledged } of sends) {
    const count = id % 2n === 0n ? acknowledged : parts.length;
    for (let part = acknowledged; part < count; part += 1) {
      await again.do('mediaUploadFilePart', { uploadId: id, part, data: parts[part] ?? Buffer.alloc(0) });
    }
    if (count === 0) continue;
    const media = [{ uploaded: { file: { id, name: id.toString(), partCount: count } } }];
    await again.do('messagesSendMessage', { chatRef: savedMessages, media });
  }
  const { messages } = await again.do('messagesGetHistory', { chatRef: savedMessages, limit: 100 });
  for (const { file } of messages.flatMap(({ media }) => media)) {
    const sent = sends.find(({ id }) => id.toString() === file?.file?.filename);
    const found = await whole(again, file?.file?.fileId ?? (0n as FileId));
    const expected = Buffer.concat(sent?.parts ?? []).subarray(0, found.length);
    assert.ok(found.length > 0 && found.equals(expected), file?.file?.filename);
    assert.equal(BigInt(found.length), file?.file?.size);
  }
  assert.ok(messages.length >= uploadsAtOnce / 2);
};

for (let round = 1; round <= rounds; round += 1) {
  it(`parts that were acknowledged are whole after kill -9 in the middle of 50 uploads, and go on (${round.toString()})`, (t) =>
    killed(t));
}
