/** Room for one write: `bytes` were asked for, they begin at `at`. */
export type BufferSlice = { readonly buffer: Buffer; readonly at: number };

/** Memory that writes are put together in. The slice of one `take` is overwritten by the next, unless it is kept. */
export interface WriteBuffers {
  take(this: void, bytes: number): BufferSlice;
  /** The slice taken last is still being sent, so it is left alone from here on. */
  keep(this: void): void;
}

export const writeBufferBytes = 262_144;
/** A larger write gets memory of its own. */
export const sharedBytesMax = 65_536;

export const writeBuffers = (): WriteBuffers => {
  let slab = Buffer.allocUnsafeSlow(writeBufferBytes);
  let used = 0;
  let taken = 0;
  return {
    take: (bytes) => {
      if (bytes > sharedBytesMax) {
        taken = 0;
        return { buffer: Buffer.allocUnsafeSlow(bytes), at: 0 };
      }
      if (used + bytes > writeBufferBytes) {
        slab = Buffer.allocUnsafeSlow(writeBufferBytes);
        used = 0;
      }
      taken = bytes;
      return { buffer: slab, at: used };
    },
    keep: () => {
      used += taken;
    },
  };
};
