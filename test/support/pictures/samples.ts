import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';

/** A picture of soft colours, one half of which is red, so that it is seen where its right side is. */
export const painted = (width: number, height: number): Sharp =>
  sharp({ create: { width, height, channels: 3, background: { r: 20, g: 60, b: 200 } } }).composite([
    {
      input: {
        create: { width: Math.ceil(width / 2), height, channels: 3, background: { r: 220, g: 20, b: 20 } },
      },
      left: 0,
      top: 0,
    },
  ]);

/** Frames of different colours. */
export const moving = async (
  side: { readonly width: number; readonly height: number },
  frames: number,
): Promise<Sharp> =>
  sharp(
    await Promise.all(
      Array.from({ length: frames }, (_, index) =>
        sharp({ create: { ...side, channels: 3, background: { r: (index * 37) % 256, g: (index * 11) % 256, b: 90 } } })
          .png()
          .toBuffer(),
      ),
    ),
    { join: { animated: true } },
  );

/** Where somebody lives, as cameras write it. */
export const place = 'GPS 52.5163';
const exifPlace = {
  IFD0: { Make: 'Cam', Model: place },
  IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '52/1 30/1 58/1', GPSLongitudeRef: 'E', GPSLongitude: '13/1 22/1 39/1' },
};
const xmpPlace = `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="${place}"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`;

/** The same picture with a place in its EXIF and its XMP. */
export const withPlace = (image: Sharp): Sharp => image.withExif(exifPlace).withXmp(xmpPlace);

/** Whether the bytes, or what is packed in them, say where. */
export const saysPlace = async (bytes: Uint8Array): Promise<boolean> => {
  const { exif, xmp, iptc, comments } = await sharp(bytes).metadata();
  return [exif, xmp, iptc].some((block) => block !== undefined) || comments !== undefined || includes(bytes, place);
};

const includes = (bytes: Uint8Array, text: string): boolean => Buffer.from(bytes).includes(text);

/** The colour of a pixel as it is stored, without its profile. */
export const storedColour = async (bytes: Uint8Array, left: number, top: number): Promise<readonly number[]> => {
  const pixel = sharp(bytes, { ignoreIcc: true }).extract({ left, top, width: 1, height: 1 });
  return [...(await pixel.raw().toBuffer())];
};

/** A white PNG of one bit a pixel: a few thousand bytes, however large. */
export const flatPng = (width: number, height: number): Buffer => {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.writeUInt8(1, 8);
  const rows = deflateSync(Buffer.alloc((Math.ceil(width / 8) + 1) * height), { level: 9 });
  const mark = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([mark, pngChunk('IHDR', head), pngChunk('IDAT', rows), pngChunk('IEND', Buffer.alloc(0))]);
};

export const pngChunk = (type: string, data: Uint8Array): Buffer => {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
};

const frameDefaults = {
  left: 0,
  top: 0,
  width: 60,
  height: 40,
  delay: 5,
  /** Its place keeps 0 itself, 1 nothing, 2 the picture of before. */
  leaves: 0,
  /** 0: it covers what is below, 1: it is drawn over that. */
  blending: 0,
  rgba: [0, 0, 0, 255] as readonly number[],
};
export type PngFrame = typeof frameDefaults;

const frameControl = (number: number, frame: PngFrame): Buffer => {
  const data = Buffer.alloc(26);
  const { width, height, left, top } = frame;
  for (const [at, value] of [number, width, height, left, top].entries()) data.writeUInt32BE(value, 4 * at);
  data.writeUInt16BE(frame.delay, 20);
  data.writeUInt16BE(100, 22);
  data.writeUInt8(frame.leaves, 24);
  data.writeUInt8(frame.blending, 25);
  return pngChunk('fcTL', data);
};

/** Sides that are beyond all bounds are told alone. */
const rowsOf = ({ width, height, rgba }: PngFrame): Buffer => {
  const columns = width > 10_000 ? 0 : width;
  const row = Buffer.concat([Buffer.of(0), Buffer.alloc(4 * columns, Buffer.from(rgba))]);
  return deflateSync(Buffer.alloc(row.length * height, row), { level: 1 });
};

const numbers = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value, 4 * at);
  return bytes;
};

/** The chunks of an animated PNG of frames of one colour each, the first of which has the size of all. */
export const movingPngChunks = (frames: readonly Partial<PngFrame>[], declared = frames.length): readonly Buffer[] => {
  const whole = frames.map((frame) => ({ ...frameDefaults, ...frame }));
  const { width, height } = whole[0] ?? frameDefaults;
  let number = 0;
  return [
    pngChunk('IHDR', Buffer.concat([numbers(width, height), Buffer.of(8, 6, 0, 0, 0)])),
    pngChunk('acTL', numbers(declared, 0)),
    ...whole.flatMap((frame, at) => {
      const control = frameControl(number++, frame);
      if (at === 0) return [control, pngChunk('IDAT', rowsOf(frame))];
      return [control, pngChunk('fdAT', Buffer.concat([numbers(number++), rowsOf(frame)]))];
    }),
    pngChunk('IEND', Buffer.alloc(0)),
  ];
};

export const pngOfChunks = (chunks: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...chunks]);

export const movingPng = (frames: readonly Partial<PngFrame>[]): Buffer => pngOfChunks(movingPngChunks(frames));
