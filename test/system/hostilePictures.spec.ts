import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import sharp from 'sharp';
import { hostilePictures } from '../support/pictures/hostile.js';
import { painted, saysPlace, withPlace } from '../support/pictures/samples.js';
import { folderFor, serverProcess } from '../support/serverProcess.js';
import { savedMessages } from './places.js';
import { signUp, type Seat } from './seat.js';

const partBytes = 524_288;
/** A busy machine may keep a picture waiting for longer than a request waits. */
const triesMax = 20;

let uploads = 0n;
/** 0 when it was sent, otherwise the code of the refusal. */
const sent = async (seat: Seat, bytes: Uint8Array, name: string): Promise<number> => {
  uploads += 1n;
  const id = uploads;
  const partCount = Math.max(1, Math.ceil(bytes.length / partBytes));
  for (let part = 0; part < partCount; part += 1) {
    const data = bytes.subarray(part * partBytes, (part + 1) * partBytes);
    await seat.do('mediaUploadFilePart', { uploadId: id, part, data });
  }
  const media = [{ uploaded: { file: { id, name, partCount }, mimetype: 'image/png' } }];
  for (let tries = 0; tries < triesMax; tries += 1) {
    const { error } = await seat.ask('messagesSendMessage', { chatRef: savedMessages, media });
    if (error?.errorCode !== 503) return error?.errorCode ?? 0;
  }
  return 503;
};

/** In bytes, as the system counts it. */
const memoryOf = (pid: number): number =>
  1_024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid.toString()}/status`, 'utf8'))?.[1]);

const serverGrowthBytesMax = 268_435_456;

it('a hundred hostile pictures kill no server, and are refused or made anew', async (t) => {
  const environment = { OSMIUM_DATA_DIR: folderFor(t), OSMIUM_RATE_LIMITS: 'off' };
  const server = serverProcess(t, environment);
  const ada = await signUp(await server.ready, 'Ada');
  const place = await withPlace(painted(200, 100).jpeg()).toBuffer();
  assert.equal(await sent(ada, place, 'before'), 0);
  const before = memoryOf(server.pid);

  const hostile = await hostilePictures();
  assert.ok(hostile.length >= 100);
  const outcomes = new Map<string, number>();
  for (const { name, bytes } of hostile) outcomes.set(name, await sent(ada, bytes, 'x'));
  const others = [...outcomes].filter(([, code]) => ![0, 400, 413].includes(code));
  assert.deepEqual(others, []);
  for (const [name, code] of outcomes) {
    if (/^a (PNG of (16|1 ×|65|2)|GIF of 20)/.test(name)) assert.notEqual(code, 0, `${name} was taken`);
    if (/^(JPEG|PNG|WebP|AVIF) cut at 0\.[57]/.test(name)) assert.equal(code, 400, `${name} was taken`);
  }
  assert.ok(memoryOf(server.pid) - before < serverGrowthBytesMax, 'the server itself has grown');

  assert.equal(await sent(ada, place, 'after'), 0);
  const { messages } = await ada.do('messagesGetHistory', { chatRef: savedMessages, limit: 1 });
  const file = messages[0]?.media[0]?.file?.file;
  assert.ok(file !== undefined);
  const fileRef = { mediaFile: { fileId: file.fileId } };
  const { data } = await ada.do('mediaDownloadFilePart', { fileRef, offset: 0n, length: partBytes });
  assert.ok((await saysPlace(place)) && !(await saysPlace(data)));
  assert.equal((await sharp(data).metadata()).width, 200);
  assert.equal(server.errors(), '');
});
