import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import sharp from 'sharp';
import { launches } from '../../../src/adapters/pictures/confinement.js';
import { pictureTurns, picturesApart, type PictureOutcome } from '../../../src/adapters/pictures/picturesApart.js';
import { systemTimers } from '../../../src/adapters/system/timers.js';
import type { UserId } from '../../../src/kernel/ids.js';
import {
  emojiBytesMax,
  movingPngFramePixelsMax,
  movingPngPixelsMax,
  pictureBytesMax,
  pictureMillisMax,
  type NoPicture,
  type Picture,
  type PictureForm,
  type PictureSource,
} from '../../../src/kernel/ports/pictures.js';
import { nextTurn, pause } from '../../../src/kernel/timing.js';
import {
  flatPng,
  moving,
  movingPng,
  painted,
  saysPlace,
  storedColour,
  withPlace,
} from '../../support/pictures/samples.js';

/** Only those that live. */
const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid.toString()}/task/${pid.toString()}/children`, 'utf8')
    .split(' ')
    .filter(Boolean)
    .map(Number);

const user = 7n as UserId;

const red = [220, 20, 20, 255];
const blue = [20, 60, 200, 255];

const sourceOf = (bytes: Uint8Array): PictureSource => ({ bytes: bytes.length, parts: inParts(bytes) });

async function* inParts(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += 65_536) {
    await Promise.resolve();
    yield bytes.subarray(from, from + 65_536);
  }
}

describe('pictures read by a process apart', () => {
  const outcomes: PictureOutcome[] = [];
  const levels: string[] = [];
  const pictures = picturesApart({
    timers: systemTimers,
    done: (outcome) => outcomes.push(outcome),
    confined: (level) => levels.push(level),
  });
  after(() => pictures.close());
  const asked = (form: PictureForm, bytes: Uint8Array): Promise<Picture | NoPicture> =>
    pictures.made(form, sourceOf(bytes), user);
  const made = async (form: PictureForm, bytes: Uint8Array): Promise<Picture> => {
    const picture = await asked(form, bytes);
    return typeof picture === 'string' ? assert.fail(`there is none: ${picture}`) : picture;
  };
  const told = ({ type, width, height, animated }: Picture) => ({ type, width, height, animated });

  it('come upright as a browser shows them, with a thumb', async () => {
    const turned = await painted(40, 20).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const picture = await made('attachment', turned);
    assert.deepEqual(told(picture), { type: 'image/jpeg', width: 20, height: 40, animated: false });
    assert.equal((await sharp(picture.bytes).metadata()).orientation, undefined);
    const [red = 0, , blue = 0] = await storedColour(picture.bytes, 10, 4);
    assert.ok(red > 150 && blue < 100, 'the left half is not on top');
    assert.ok(picture.thumb.length > 0);
  });

  it('come in whatever form they are stored: a line, grey, a palette, 16 bits, inks', async () => {
    const forms: readonly (readonly [string, Promise<Buffer>])[] = [
      ['a line', painted(2000, 1).png().toBuffer()],
      ['grey', painted(30, 20).greyscale().png().toBuffer()],
      ['a palette', painted(30, 20).png({ palette: true }).toBuffer()],
      ['16 bits', painted(30, 20).toColourspace('rgb16').png().toBuffer()],
      ['inks', painted(30, 20).toColourspace('cmyk').jpeg().toBuffer()],
    ];
    for (const [name, bytes] of forms) {
      for (const form of ['attachment', 'photo', 'banner', 'emoji'] as const) {
        const { thumb, width, height } = await made(form, await bytes);
        assert.ok(thumb.length > 0 && width > 0 && height > 0, `${name} as ${form}`);
      }
    }
  });

  it('lose every place that they tell, and keep the colours of a wide gamut', async () => {
    const image = painted(64, 64).withIccProfile('p3');
    for (const bytes of [
      await withPlace(image.clone()).jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer(),
      await withPlace(image.clone()).png().toBuffer(),
      await withPlace(image.clone()).webp({ lossless: true }).toBuffer(),
    ]) {
      assert.ok(await saysPlace(bytes), 'the sample tells no place');
      for (const form of ['attachment', 'photo', 'banner', 'emoji', 'card'] as const) {
        const picture = await made(form, bytes);
        assert.ok(!(await saysPlace(picture.bytes)), `${picture.type} as ${form} tells a place`);
        assert.ok(
          (await sharp(picture.bytes).metadata()).icc !== undefined,
          `${picture.type} as ${form} lost its profile`,
        );
      }
      const [before, after] = [
        await storedColour(bytes, 5, 5),
        await storedColour((await made('attachment', bytes)).bytes, 5, 5),
      ];
      for (const [index, value] of before.entries()) {
        assert.ok(Math.abs(value - (after[index] ?? -100)) <= 6, `${before.join()} became ${after.join()}`);
      }
    }
  });

  it('move on as attachments and emoji, and stand still as photos', async () => {
    for (const bytes of [
      await (await moving({ width: 498, height: 280 }, 60)).gif().toBuffer(),
      await (await moving({ width: 498, height: 280 }, 60)).webp().toBuffer(),
      movingPng(Array.from({ length: 60 }, (_, at) => ({ width: 498, height: 280, rgba: [at * 4, 40, 90, 255] }))),
    ]) {
      assert.deepEqual(told(await made('photo', bytes)), {
        type: 'image/webp',
        width: 280,
        height: 280,
        animated: false,
      });
      const { width, height, animated } = await made('attachment', bytes);
      assert.deepEqual({ width, height, animated }, { width: 498, height: 280, animated: true });
      const emoji = await made('emoji', bytes);
      assert.deepEqual(told(emoji), { type: 'image/webp', width: 128, height: 72, animated: true });
      assert.ok(emoji.bytes.length <= emojiBytesMax);
    }
  });

  it('move on with as many pixels as a PNG that moves may have, in the memory that there is', async () => {
    const side = Math.floor(Math.sqrt(movingPngFramePixelsMax));
    const frames = movingPngPixelsMax / movingPngFramePixelsMax;
    const bytes = movingPng(
      Array.from({ length: frames }, (_, at) => ({ width: side, height: side, rgba: at % 2 === 0 ? red : blue })),
    );
    for (const form of ['attachment', 'emoji'] as const) assert.ok((await made(form, bytes)).animated, form);
  });

  it('are refused in words when they are damaged, of another kind, or too large', async () => {
    const jpeg = await painted(600, 400).jpeg().toBuffer();
    assert.equal(await asked('attachment', jpeg.subarray(0, jpeg.length / 2)), 'damaged');
    assert.equal(
      await asked('photo', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')),
      'unknown',
    );
    assert.equal(await asked('photo', await painted(9, 9).tiff().toBuffer()), 'unknown');
    assert.equal(await asked('photo', new Uint8Array(0)), 'unknown');
    const bomb = flatPng(16_383, 16_383);
    const all = await Promise.all(Array.from({ length: 20 }, () => asked('attachment', bomb)));
    assert.deepEqual(new Set(all), new Set(['too large']));
    const none: PictureSource = { bytes: pictureBytesMax + 1, parts: inParts(new Uint8Array(0)) };
    assert.equal(await pictures.made('photo', none, user), 'too large');
  });

  it('fail one by one: a source that breaks is told, and the next picture is made', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      await Promise.resolve();
      yield new Uint8Array(3);
      throw new Error('the store is away');
    }
    await assert.rejects(pictures.made('photo', { bytes: 10, parts: broken() }, user), /the store is away/);
    await made('photo', await painted(9, 9).png().toBuffer());
  });

  it('are bounded while they wait, and counted', async () => {
    const bytes = await painted(9, 9).png().toBuffer();
    const before = outcomes.length;
    const many = pictureTurns.atOnceMax + pictureTurns.waitingOfOneMax + 1;
    const all = await Promise.all(Array.from({ length: many }, () => asked('emoji', bytes)));
    assert.ok(all.includes('busy'));
    assert.equal(
      all.filter((one) => one === 'busy').length,
      outcomes.slice(before).filter((one) => one === 'busy').length,
    );
    assert.equal(outcomes.length, before + many);
    assert.equal(levels.length, 1, 'the process was started in more than one way');
  });
});

describe('a process that reads pictures', () => {
  const [strictest] = launches();

  it('costs one picture when it dies, and another one goes on', async () => {
    const outcomes: PictureOutcome[] = [];
    const dying = { level: 'bare', command: process.execPath, args: ['-e', dies] } as const;
    const pictures = picturesApart({ timers: systemTimers, done: (outcome) => outcomes.push(outcome), ways: [dying] });
    assert.equal(await pictures.made('photo', sourceOf(new Uint8Array(9)), user), 'too costly');
    assert.equal(await pictures.made('photo', sourceOf(new Uint8Array(9)), user), 'too costly');
    assert.deepEqual(outcomes, ['too costly', 'too costly']);
    await pictures.close();
  });

  it('that died while nothing was asked of it costs no picture', async () => {
    const pictures = picturesApart({ timers: systemTimers, done: () => undefined });
    const png = await painted(9, 9).png().toBuffer();
    assert.ok(typeof (await pictures.made('photo', sourceOf(png), user)) !== 'string');
    const [child] = childrenOf(process.pid);
    assert.ok(child !== undefined);
    process.kill(child, 'SIGKILL');
    while (childrenOf(process.pid).includes(child)) await nextTurn();
    assert.ok(typeof (await pictures.made('photo', sourceOf(png), user)) !== 'string');
    await pictures.close();
  });

  it('is kept waiting by a slow store for as long as a picture may take, and goes on with another', async () => {
    const timers = {
      later: (millis: number, work: () => void) =>
        systemTimers.later(millis === pictureMillisMax ? 3_000 : millis, work),
    };
    const pictures = picturesApart({ timers, done: () => undefined });
    let [asked, ended] = [0, false];
    async function* slow(): AsyncGenerator<Uint8Array> {
      try {
        for (; ; asked += 1) {
          yield new Uint8Array(1);
          await pause(50);
        }
      } finally {
        ended = true;
      }
    }
    assert.equal(await pictures.made('photo', { bytes: 4_096, parts: slow() }, user), 'busy');
    while (!ended) await nextTurn();
    assert.ok(asked < 100);
    const png = await painted(9, 9).png().toBuffer();
    assert.ok(typeof (await pictures.made('photo', sourceOf(png), user)) !== 'string');
    await pictures.close();
  });

  it('is ended when it takes too much memory, too much time, or says what it cannot mean', async () => {
    const later = systemTimers.later;
    for (const script of [swells, sleeps, babbles]) {
      const way = { level: 'bare', command: process.execPath, args: ['-e', script] } as const;
      // Ten seconds are one here.
      const timers = {
        later: (millis: number, work: () => void) =>
          later(millis === 10_000 && script === sleeps ? 1_000 : millis, work),
      };
      const pictures = picturesApart({ timers, done: () => undefined, ways: [way] });
      assert.equal(await pictures.made('photo', sourceOf(new Uint8Array(9)), user), 'too costly');
      await pictures.close();
    }
  });

  it('is asked for nothing where none can be started', async () => {
    const none = { level: 'bare', command: '/nowhere', args: [] } as const;
    const pictures = picturesApart({ timers: systemTimers, done: () => undefined, ways: [none] });
    assert.equal(await pictures.made('photo', sourceOf(new Uint8Array(9)), user), 'busy');
    await pictures.close();
  });

  it('reads no file of others, writes none and starts nothing', () => {
    const args = strictest?.args ?? [];
    assert.ok(args.some((one) => /^--(experimental-)?permission$/.test(one)));
    assert.ok(!args.some((one) => /allow-(fs-write|child-process|worker)/.test(one)));
    const readable = args.filter((one) => one.startsWith('--allow-fs-read='));
    assert.ok(readable.length > 0 && readable.every((one) => /(node_modules|src)\/$/.test(one)), readable.join());
  });
});

const there = `process.stdout.write(Buffer.of(0)); process.stdin.once('data', () => {`;
const dies = `${there} process.abort() });`;
const sleeps = `${there} });`;
const babbles = `${there} process.stdout.write(Buffer.alloc(40, 200)) });`;
const swells = `${there} const all = []; setInterval(() => all.push(Buffer.alloc(8e6, 1)), 10) });`;
