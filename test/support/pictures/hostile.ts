import sharp from 'sharp';
import { flatPng, moving, movingPng, movingPngChunks, painted, pngChunk, pngOfChunks } from './samples.js';

export type Hostile = { readonly name: string; readonly bytes: Uint8Array };

/** A hundred files that are no pictures, broken ones, or too much of one. The same on each run. */
export const hostilePictures = async (): Promise<readonly Hostile[]> => {
  const sound = await soundPictures();
  return [
    ...sound.flatMap(cutShort),
    ...sound.flatMap(withOtherBytes),
    ...sound.map(({ name, bytes }, at) => ({
      name: `${name} with the body of another`,
      bytes: Buffer.concat([bytes.subarray(0, 24), (sound[(at + 1) % sound.length]?.bytes ?? bytes).subarray(24)]),
    })),
    ...bombs(),
    { name: 'a GIF of 20,000 frames', bytes: await gifOf(20_000) },
    { name: 'an APNG of 20,000 frames', bytes: movingPng(Array.from({ length: 20_000 }, () => ({}))) },
    { name: 'an APNG that promises more frames', bytes: pngOfChunks(movingPngChunks([{}, {}], 2 ** 32 - 1)) },
    { name: 'an APNG with a frame beyond it', bytes: movingPng([{}, { left: 2 ** 32 - 1 }]) },
    ...strangers,
  ];
};

const soundPictures = async (): Promise<readonly Hostile[]> => {
  const image = painted(120, 90);
  return [
    { name: 'JPEG', bytes: await image.clone().jpeg().toBuffer() },
    { name: 'PNG', bytes: await image.clone().png().toBuffer() },
    { name: 'WebP', bytes: await image.clone().webp().toBuffer() },
    { name: 'AVIF', bytes: await image.clone().avif({ effort: 0 }).toBuffer() },
    { name: 'GIF', bytes: await (await moving({ width: 60, height: 40 }, 4)).gif().toBuffer() },
    { name: 'APNG', bytes: movingPng([{}, { rgba: [200, 0, 0, 255] }, { left: 30, width: 30 }]) },
  ];
};

const cuts = [0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99] as const;
const cutShort = ({ name, bytes }: Hostile): readonly Hostile[] =>
  cuts.map((part) => ({ name: `${name} cut at ${part.toString()}`, bytes: bytes.subarray(0, bytes.length * part) }));

/** A generator of numbers below 2^32, the same ones each time. */
const numbersFrom = (seed: number): (() => number) => {
  let number = seed;
  return () => (number = (Math.imul(number, 1_664_525) + 1_013_904_223) >>> 0);
};

const withOtherBytes = ({ name, bytes }: Hostile): readonly Hostile[] =>
  Array.from({ length: 8 }, (_, round) => {
    const next = numbersFrom(round + bytes.length);
    const changed = Buffer.from(bytes);
    for (let changes = 0; changes < 4 ** (round % 4); changes += 1) changed[next() % changed.length] = next() >> 24;
    return { name: `${name} with other bytes, ${round.toString()}`, bytes: changed };
  });

const mark = Buffer.from('89504e470d0a1a0a', 'hex');
const pngHead = (width: number, height: number, depth = 8, colours = 6): Buffer => {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.writeUInt8(depth, 8);
  head.writeUInt8(colours, 9);
  return Buffer.concat([mark, pngChunk('IHDR', head)]);
};

const bombs = (): readonly Hostile[] => {
  const longChunk = Buffer.from('7fffffff49444154', 'hex');
  const frame = Buffer.from('ffffffff', 'hex');
  return [
    { name: 'a PNG of 16,383²', bytes: flatPng(16_383, 16_383) },
    { name: 'a PNG of 16,384 × 3,000', bytes: flatPng(16_384, 3_000) },
    { name: 'a PNG of 1 × 65,535', bytes: flatPng(1, 65_535) },
    ...[0, 1, 65_535, 2 ** 31 - 1].map((side) => ({
      name: `a PNG of ${side.toString()}² without rows`,
      bytes: pngHead(side, side),
    })),
    { name: 'a PNG with a chunk of 2 GiB', bytes: Buffer.concat([pngHead(9, 9), longChunk]) },
    { name: 'a PNG of no colours', bytes: pngHead(9, 9, 7, 9) },
    { name: 'a PNG with texts of a megabyte', bytes: texts() },
    { name: 'a GIF of 65,535²', bytes: Buffer.concat([Buffer.from('GIF89a'), frame, Buffer.from('f70000', 'hex')]) },
    {
      name: 'a WebP of 4 GiB',
      bytes: Buffer.concat([Buffer.from('RIFF'), frame, Buffer.from('WEBPVP8X'), frame, frame]),
    },
    {
      name: 'an AVIF of boxes without an end',
      bytes: Buffer.from('0000001c6674797061766966'.padEnd(4_000, '00000008'), 'hex'),
    },
    { name: 'a JPEG of segments without an end', bytes: Buffer.from('ffd8ff'.padEnd(4_000, 'e1ffff'), 'hex') },
  ];
};

const texts = (): Buffer =>
  Buffer.concat([pngHead(9, 9), ...Array.from({ length: 64 }, () => pngChunk('tEXt', Buffer.alloc(16_384, 'a\0b')))]);

/** One frame, again and again. */
const gifOf = async (frames: number): Promise<Buffer> => {
  const one = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } })
    .gif()
    .toBuffer();
  const [begin, end] = [one.indexOf(Buffer.from('2c00000000', 'hex')), one.length - 1];
  const frame = one.subarray(begin, end);
  return Buffer.concat([one.subarray(0, begin), ...Array.from({ length: frames }, () => frame), one.subarray(end)]);
};

const strangers: readonly Hostile[] = [
  { name: 'nothing', bytes: new Uint8Array(0) },
  { name: 'a byte', bytes: Uint8Array.of(0xff) },
  { name: 'a page', bytes: Buffer.from('<!doctype html><script>alert(1)</script>') },
  {
    name: 'an SVG',
    bytes: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'),
  },
  { name: 'a ZIP', bytes: Buffer.from('504b0304'.padEnd(400, '00'), 'hex') },
  { name: 'a TIFF', bytes: Buffer.from('49492a0008000000ffff'.padEnd(800, 'ff'), 'hex') },
  { name: 'a HEIC', bytes: Buffer.from('000000186674797068656963'.padEnd(400, '00'), 'hex') },
  { name: 'a PDF', bytes: Buffer.from('%PDF-1.7\n%\xff') },
  { name: 'a marked GIF that is a script', bytes: Buffer.from('GIF89a=1;alert(1)') },
  {
    name: 'a marked JPEG that is a page',
    bytes: Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), Buffer.from('<html>'.repeat(99))]),
  },
];
