import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { movingPngIn, pixelsOf, type MovingPng } from '../../../src/adapters/pictures/movingPng.js';
import { pictureIn } from '../../../src/adapters/pictures/sharpForms.js';
import {
  movingPngFramePixelsMax,
  movingPngPixelsMax,
  pictureFramesMax,
  type Picture,
} from '../../../src/kernel/ports/pictures.js';
import {
  flatPng,
  movingPng,
  movingPngChunks,
  painted,
  pngChunk,
  pngOfChunks,
  type PngFrame,
} from '../../support/pictures/samples.js';

const red = [255, 0, 0, 255];
const blue = [0, 0, 255, 255];
const half = [0, 0, 255, 128];
const nothing = [0, 0, 0, 0];

const decoded = (png: Uint8Array): Promise<Uint8Array> => sharp(png).ensureAlpha().raw().toBuffer();

const taken = (bytes: Uint8Array): MovingPng => {
  const moving = movingPngIn(bytes);
  return moving === undefined || moving === 'damaged' ? assert.fail(moving ?? 'it stands still') : moving;
};

/** Of each frame the colour in its left half and that in its right half. */
const seen = async (frames: readonly Partial<PngFrame>[]): Promise<readonly (readonly number[])[][]> => {
  const moving = taken(movingPng(frames));
  const pixels = await pixelsOf(moving, decoded);
  return moving.frames.map((_, at) =>
    [0, 30].map((left) => {
      const begin = 4 * (at * 60 * 40 + left);
      return [...pixels.subarray(begin, begin + 4)];
    }),
  );
};

const right = { left: 30, width: 30 };

const made = async (form: 'attachment' | 'emoji' | 'photo', bytes: Uint8Array): Promise<Picture> => {
  const picture = await pictureIn(form, bytes);
  return typeof picture === 'string' ? assert.fail(`there is none: ${picture}`) : picture;
};

const orientedExif = (orientation: number): Buffer =>
  Buffer.from(`4d4d002a0000000800010112000300000001000${orientation.toString()}000000000000`, 'hex');

/** Of the four corners of a frame, row by row, whether they are blue. */
const blueCorners = async (bytes: Uint8Array, page: number): Promise<boolean[]> => {
  const { data, info } = await sharp(bytes, { page }).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  return [0, width - 1, (height - 1) * width, height * width - 1].map((at) => (data[3 * at + 2] ?? 0) > 128);
};

describe('a PNG that moves', () => {
  it('is seen as its frames lie over each other', async () => {
    assert.deepEqual(await seen([{ rgba: red }, { ...right, rgba: blue }]), [
      [red, red],
      [red, blue],
    ]);
    assert.deepEqual((await seen([{ rgba: red }, { ...right, rgba: nothing }]))[1], [red, nothing]);
    assert.deepEqual((await seen([{ rgba: red }, { ...right, rgba: nothing, blending: 1 }]))[1], [red, red]);
    assert.deepEqual((await seen([{ rgba: red }, { ...right, rgba: half, blending: 1 }]))[1], [
      red,
      [127, 0, 128, 255],
    ]);
    assert.deepEqual((await seen([{ rgba: nothing }, { rgba: half, blending: 1 }]))[1], [half, half]);
  });

  it('leaves of a frame what that says', async () => {
    const last = { left: 0, width: 1, height: 1, top: 39, rgba: red };
    const after = async (leaves: number) => (await seen([{ rgba: red }, { ...right, rgba: blue, leaves }, last]))[2];
    assert.deepEqual(await after(0), [red, blue]);
    assert.deepEqual(await after(1), [red, nothing]);
    assert.deepEqual(await after(2), [red, red]);
  });

  it('becomes WebP that moves, with the time of each frame, as an attachment and as an emoji', async () => {
    const bytes = movingPng([
      { rgba: red, delay: 7 },
      { rgba: blue, delay: 50 },
      { ...right, rgba: red, delay: 3 },
    ]);
    for (const form of ['attachment', 'emoji'] as const) {
      const picture = await made(form, bytes);
      const { type, width, height, animated } = picture;
      assert.deepEqual(
        { type, width, height, animated },
        { type: 'image/webp', width: 60, height: 40, animated: true },
      );
      const { pages, delay, loop } = await sharp(picture.bytes).metadata();
      assert.deepEqual({ pages, delay, loop }, { pages: 3, delay: [70, 500, 30], loop: 0 });
      const [r = 0, , b = 0] = await sharp(picture.bytes, { page: 1 }).removeAlpha().raw().toBuffer();
      assert.ok(r < 40 && b > 215, `${form}: ${r.toString()}, ${b.toString()}`);
    }
    assert.equal((await made('photo', bytes)).animated, false);
  });

  it('is turned as it says, frame by frame, as one that stands still is', async () => {
    const corner = { left: 30, width: 30, height: 20, rgba: blue };
    const chunks = movingPngChunks([{ rgba: red }, corner, { ...corner, rgba: red }]);
    const flat = (width: number, height: number, background: { r: number; g: number; b: number }): Sharp =>
      sharp({ create: { width, height, channels: 3, background } }).png();
    const input = await flat(30, 20, { r: 0, g: 0, b: 255 }).toBuffer();
    const still = await flat(60, 40, { r: 255, g: 0, b: 0 })
      .composite([{ input, left: 30, top: 0 }])
      .toBuffer();
    for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const moving = pngOfChunks(chunks.toSpliced(1, 0, pngChunk('eXIf', orientedExif(orientation))));
      const upright = await sharp(await sharp(still).withMetadata({ orientation }).png().toBuffer())
        .autoOrient()
        .toBuffer();
      for (const form of ['attachment', 'emoji'] as const) {
        const { width, height, bytes } = await made(form, moving);
        assert.deepEqual([width, height], orientation < 5 ? [60, 40] : [40, 60], orientation.toString());
        assert.deepEqual(await blueCorners(bytes, 1), await blueCorners(upright, 0), orientation.toString());
        assert.deepEqual(await blueCorners(bytes, 2), [false, false, false, false]);
      }
    }
  });

  it('is taken apart once, however often it is written as an emoji', async () => {
    const side = 128;
    const frames = 20;
    const chunks = movingPngChunks(Array.from({ length: frames }, () => ({ width: side, height: side })));
    const noisy = chunks.map((chunk) => {
      const type = chunk.toString('latin1', 4, 8);
      if (type !== 'IDAT' && type !== 'fdAT') return chunk;
      const rows = Array.from({ length: side }, () => Buffer.concat([Buffer.alloc(1), randomBytes(4 * side)]));
      const number = type === 'fdAT' ? chunk.subarray(8, 12) : Buffer.alloc(0);
      return pngChunk(type, Buffer.concat([number, deflateSync(Buffer.concat(rows))]));
    });
    let tasks = 0;
    const count = (): void => {
      tasks += 1;
    };
    sharp.queue.on('change', count);
    await pictureIn('emoji', pngOfChunks(noisy)).finally(() => sharp.queue.off('change', count));
    // Each task is told of as it comes and as it ends.
    assert.ok(tasks >= 2 * frames && tasks < 3 * frames, tasks.toString());
  });

  it('stands still where it has one frame, or too much to move', async () => {
    const large = Math.ceil(Math.sqrt(movingPngFramePixelsMax)) + 1;
    const long = { width: 1_000, height: 1_000 };
    for (const bytes of [
      await painted(9, 9).png().toBuffer(),
      movingPng([{}]),
      movingPng(Array.from({ length: pictureFramesMax + 1 }, () => ({ width: 1, height: 1 }))),
      movingPng([
        { width: large, height: large },
        { width: 1, height: 1 },
      ]),
      movingPng([long, ...Array.from({ length: movingPngPixelsMax / 1_000_000 }, () => ({ width: 1, height: 1 }))]),
    ]) {
      const { type, animated } = await made('attachment', bytes);
      assert.deepEqual({ type, animated }, { type: 'image/png', animated: false });
    }
  });

  it('is taken to be damaged where its frames are not as it says', async () => {
    const chunks = movingPngChunks([{ rgba: red }, { rgba: blue }, { rgba: red }]);
    const without = (at: number): Buffer => pngOfChunks(chunks.toSpliced(at, 1));
    const swapped = chunks.with(5, chunks[7] ?? assert.fail()).with(7, chunks[5] ?? assert.fail());
    const broken = Buffer.from(pngOfChunks(chunks));
    broken[broken.length - 20] = (broken[broken.length - 20] ?? 0) ^ 1;
    const damaged: Readonly<Record<string, Buffer>> = {
      'fewer frames than declared': pngOfChunks(movingPngChunks([{}, {}], 3)),
      'more frames than declared': pngOfChunks(movingPngChunks([{}, {}, {}], 2)),
      'four thousand million frames declared': pngOfChunks(movingPngChunks([{}, {}], 0xffff_ffff)),
      'a frame without its data': without(7),
      'no data of the last frame': without(chunks.length - 2),
      'data without a control': without(6),
      'frames out of order': pngOfChunks(swapped),
      'a frame beyond the picture': movingPng([{}, { left: 1 }]),
      'a frame far beyond the picture': movingPng([{}, { left: 0xffff_ffff, width: 0xffff_ffff }]),
      'a frame of no width': movingPng([{}, { width: 0 }]),
      'a way to leave that is none': movingPng([{}, { leaves: 3 }]),
      'a sum that is wrong': broken,
      'no end': without(chunks.length - 1),
      'two counts': pngOfChunks(chunks.toSpliced(1, 0, pngChunk('acTL', Buffer.from('0000000300000000', 'hex')))),
      'a control that is too short': pngOfChunks([
        ...chunks.slice(0, 2),
        pngChunk('fcTL', Buffer.alloc(3)),
        ...chunks.slice(3),
      ]),
    };
    for (const [name, bytes] of Object.entries(damaged)) {
      assert.equal(movingPngIn(bytes), 'damaged', name);
      assert.equal(await pictureIn('emoji', bytes), 'damaged', name);
    }
  });

  it('is taken to be damaged where a frame has other pixels than it says', async () => {
    const chunks = movingPngChunks([{}, { width: 60, height: 40 }]);
    const short = movingPngChunks([{}, { width: 60, height: 2 }]);
    const bytes = pngOfChunks(chunks.with(5, short[5] ?? assert.fail()));
    assert.equal(await pictureIn('attachment', bytes), 'damaged');
  });

  it('says nothing of what is none', () => {
    for (const bytes of [new Uint8Array(0), Buffer.from('GIF89a'), flatPng(9, 9), flatPng(9, 9).subarray(0, 20)]) {
      assert.equal(movingPngIn(bytes), undefined);
    }
  });
});
