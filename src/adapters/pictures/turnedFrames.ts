/** Frames of the same size, one below the other, of four bytes a pixel. */
export type Frames = {
  readonly width: number;
  /** Of one of them. */
  readonly height: number;
  readonly pixels: Buffer;
};

/** How EXIF has a picture be turned: 1 not at all, from 5 on its sides change places. Both mirrors are of the picture as it is stored. */
const mirroredAcross: ReadonlySet<number> = new Set([2, 3, 7, 8]);
const mirroredDown: ReadonlySet<number> = new Set([3, 4, 6, 7]);
const firstOnItsSide = 5;

/** Each of them upright, for an orientation of 1 to 8 as in EXIF. Uses their memory, and that of one more frame. */
export const turnedFrames = (frames: Frames, orientation: number): Frames => {
  if (orientation === 1) return frames;
  const { width, height, pixels } = frames;
  const isOnItsSide = orientation >= firstOnItsSide;
  const upright = isOnItsSide ? { width: height, height: width } : { width, height };
  const across = mirroredAcross.has(orientation) ? { first: width - 1, step: -1 } : { first: 0, step: 1 };
  const down = mirroredDown.has(orientation)
    ? { first: (height - 1) * width, step: -width }
    : { first: 0, step: width };
  const [columnStep, rowStep] = isOnItsSide ? [down.step, across.step] : [across.step, down.step];
  const all = new Uint32Array(pixels.buffer, pixels.byteOffset, pixels.length / Uint32Array.BYTES_PER_ELEMENT);
  const frame = new Uint32Array(width * height);
  for (let begin = 0; begin < all.length; begin += frame.length) {
    frame.set(all.subarray(begin, begin + frame.length));
    let to = begin;
    for (let row = 0; row < upright.height; row += 1) {
      let from = across.first + down.first + row * rowStep;
      for (let column = 0; column < upright.width; column += 1, from += columnStep) {
        all[to] = frame[from] ?? 0;
        to += 1;
      }
    }
  }
  return { ...upright, pixels };
};
