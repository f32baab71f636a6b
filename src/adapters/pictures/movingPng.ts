import { crc32 } from 'node:zlib';

/** A PNG that moves: an APNG, as the third edition of the specification of PNG has it. */
export type MovingPng = {
  readonly width: number;
  readonly height: number;
  /** How often it is played; 0 for ever. */
  readonly plays: number;
  readonly frames: readonly MovingFrame[];
};

type MovingFrame = {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly millis: number;
  /** Its place has this when the next one comes. */
  readonly leaves: Leaving;
  /** It takes the place of what is below it, also where it is transparent. */
  readonly covers: boolean;
  /** A picture by itself. Its pixels have not been looked at. */
  readonly png: () => Uint8Array;
};
const leavings = ['itself', 'nothing', 'the picture before'] as const;
type Leaving = (typeof leavings)[number];

/**
 * Takes it apart, since `sharp` reads the first picture alone. Undefined for a PNG that stands still, or is none. `damaged`: its frames are
 * not as it says, such as too few, out of order or outside of the picture.
 */
export const movingPngIn = (bytes: Uint8Array): MovingPng | 'damaged' | undefined => {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const parts = emptyParts();
  for (const chunk of chunksOf(source)) {
    if (chunk.type === 'IDAT' && parts.counts === undefined) return undefined;
    if (!isSound(chunk) || readers[chunk.type]?.(parts, chunk.data) === 'damaged') return 'damaged';
    if (carried.has(chunk.type) && parts.frames.every(({ data }) => data.length === 0)) parts.carried.push(chunk.whole);
    if (chunk.type === 'IEND') return wholeOf(parts);
  }
  return parts.counts === undefined ? undefined : 'damaged';
};

const signature = Buffer.from('89504e470d0a1a0a', 'hex');
/** The chunks in which the colours of all frames are told. */
const carried: ReadonlySet<string> = new Set(['PLTE', 'tRNS', 'cHRM', 'gAMA', 'iCCP', 'sBIT', 'sRGB', 'cICP']);

type Chunk = { readonly type: string; readonly data: Buffer; readonly whole: Buffer };

/** Ends where there is no further whole one. */
function* chunksOf(source: Buffer): Generator<Chunk> {
  if (!source.subarray(0, signature.length).equals(signature)) return;
  for (let at = signature.length; at + 12 <= source.length;) {
    const end = at + 12 + source.readUInt32BE(at);
    if (end > source.length) return;
    const type = source.toString('latin1', at + 4, at + 8);
    yield { type, data: source.subarray(at + 8, end - 4), whole: source.subarray(at, end) };
    at = end;
  }
}

const isSound = ({ whole }: Chunk): boolean =>
  whole.readUInt32BE(whole.length - 4) === crc32(whole.subarray(4, whole.length - 4));

type Control = Omit<MovingFrame, 'png'>;
type Parts = {
  head: Buffer | undefined;
  counts: { readonly frames: number; readonly plays: number } | undefined;
  readonly carried: Buffer[];
  readonly frames: { readonly control: Control; readonly data: Buffer[] }[];
  /** Of the next chunk that has a number. */
  next: number;
};
const emptyParts = (): Parts => ({ head: undefined, counts: undefined, carried: [], frames: [], next: 0 });

type Reader = (parts: Parts, data: Buffer) => 'damaged' | undefined;

const readers: Readonly<Record<string, Reader>> = {
  IHDR: (parts, data) => {
    if (parts.head !== undefined || data.length !== 13) return 'damaged';
    parts.head = data;
    return undefined;
  },
  acTL: (parts, data) => {
    if (parts.counts !== undefined || data.length !== 8) return 'damaged';
    parts.counts = { frames: data.readUInt32BE(0), plays: data.readUInt32BE(4) };
    return undefined;
  },
  fcTL: (parts, data) => {
    const control = data.length === 26 && isNext(parts, data) ? controlIn(data) : undefined;
    if (control === undefined || !isWithin(control, parts) || parts.frames.length >= (parts.counts?.frames ?? 0)) {
      return 'damaged';
    }
    parts.frames.push({ control, data: [] });
    return undefined;
  },
  // Without a control before it this is a picture for who reads none that move.
  IDAT: (parts, data) => {
    const [first, second] = parts.frames;
    if (second !== undefined) return 'damaged';
    first?.data.push(data);
    return undefined;
  },
  fdAT: (parts, data) => {
    const frame = parts.frames.at(-1);
    if (frame === undefined || data.length < 4 || !isNext(parts, data)) return 'damaged';
    frame.data.push(data.subarray(4));
    return undefined;
  },
};

const isNext = (parts: Parts, data: Buffer): boolean => {
  const isInOrder = data.readUInt32BE(0) === parts.next;
  parts.next += 1;
  return isInOrder;
};

/** WebP has two bytes for each. */
const millisMax = 65_535;
const playsMax = 65_535;

const controlIn = (data: Buffer): Control | undefined => {
  const [width, height, left, top] = [4, 8, 12, 16].map((at) => data.readUInt32BE(at)) as [
    number,
    number,
    number,
    number,
  ];
  const [part, of] = [data.readUInt16BE(20), data.readUInt16BE(22)];
  const [leaves, blending] = [leavings[data.readUInt8(24)], data.readUInt8(25)];
  if (leaves === undefined || blending > 1 || width === 0 || height === 0) return undefined;
  const millis = Math.min(millisMax, Math.round((1_000 * part) / (of === 0 ? 100 : of)));
  return { left, top, width, height, millis, leaves, covers: blending === 0 };
};

const isWithin = ({ left, top, width, height }: Control, { head }: Parts): boolean =>
  head !== undefined && left + width <= head.readUInt32BE(0) && top + height <= head.readUInt32BE(4);

const wholeOf = ({ head, counts, carried: colours, frames }: Parts): MovingPng | 'damaged' | undefined => {
  const isWhole = frames.length === counts?.frames && frames.every(({ data }) => data.length > 0);
  if (head === undefined || counts === undefined || !isWhole) return 'damaged';
  if (frames.length < 2) return undefined;
  return {
    width: head.readUInt32BE(0),
    height: head.readUInt32BE(4),
    plays: Math.min(playsMax, counts.plays),
    frames: frames.map(({ control, data }) => ({ ...control, png: () => pngOf(sized(head, control), colours, data) })),
  };
};

const sized = (head: Buffer, { width, height }: Control): Buffer => {
  const own = Buffer.from(head);
  own.writeUInt32BE(width, 0);
  own.writeUInt32BE(height, 4);
  return own;
};

const pngOf = (head: Buffer, colours: readonly Buffer[], data: readonly Buffer[]): Buffer =>
  Buffer.concat([
    signature,
    chunkOf('IHDR', head),
    ...colours,
    chunkOf('IDAT', Buffer.concat(data)),
    chunkOf('IEND', Buffer.alloc(0)),
  ]);

const chunkOf = (type: string, data: Buffer): Buffer => {
  const chunk = Buffer.alloc(data.length + 12);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, 'latin1');
  data.copy(chunk, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), chunk.length - 4);
  return chunk;
};

/** Pixels of four bytes: red, green, blue, and how little one sees through. */
export type FrameDecoder = (png: Uint8Array) => Promise<Uint8Array>;
const pixelBytes = 4;

/** All frames as they are seen, one below the other. Throws when one has other pixels than it says. */
export const pixelsOf = async ({ width, height, frames }: MovingPng, decoded: FrameDecoder): Promise<Buffer> => {
  const frameBytes = pixelBytes * width * height;
  const seen = Buffer.alloc(frameBytes * frames.length);
  const canvas = Buffer.alloc(frameBytes);
  for (const [at, frame] of frames.entries()) {
    const pixels = await decoded(frame.png());
    if (pixels.length !== pixelBytes * frame.width * frame.height) throw new Error('a frame has another size');
    const shown = seen.subarray(frameBytes * at, frameBytes * (at + 1));
    canvas.copy(shown);
    drawRows(shown, { ...frame, canvasWidth: width }, pixels);
    if (frame.leaves === 'itself') shown.copy(canvas);
    else if (frame.leaves === 'nothing') {
      shown.copy(canvas);
      clearRows(canvas, { ...frame, canvasWidth: width });
    }
  }
  return seen;
};

type Place = Pick<MovingFrame, 'left' | 'top' | 'width' | 'height'> & { readonly canvasWidth: number };

const rowAt = (canvas: Buffer, { left, top, width, canvasWidth }: Place, row: number): Buffer => {
  const begin = pixelBytes * ((top + row) * canvasWidth + left);
  return canvas.subarray(begin, begin + pixelBytes * width);
};

const clearRows = (canvas: Buffer, place: Place): void => {
  for (let row = 0; row < place.height; row += 1) rowAt(canvas, place, row).fill(0);
};

const drawRows = (canvas: Buffer, place: Place & Pick<MovingFrame, 'covers'>, pixels: Uint8Array): void => {
  const rowBytes = pixelBytes * place.width;
  for (let row = 0; row < place.height; row += 1) {
    const [below, above] = [rowAt(canvas, place, row), pixels.subarray(rowBytes * row, rowBytes * (row + 1))];
    if (place.covers) below.set(above);
    else for (let at = 0; at < rowBytes; at += pixelBytes) drawOver(below, above, at);
  }
};

const drawOver = (below: Uint8Array, above: Uint8Array, at: number): void => {
  const opacity = above[at + 3] ?? 0;
  if (opacity === 0) return;
  const left = ((below[at + 3] ?? 0) * (255 - opacity)) / 255;
  const both = opacity + left;
  for (let colour = at; colour < at + 3; colour += 1) {
    below[colour] = Math.round(((above[colour] ?? 0) * opacity + (below[colour] ?? 0) * left) / both);
  }
  below[at + 3] = Math.round(both);
};
