/** Frames of at least so many bytes are kept as they are; shorter ones are copied, many into one block. */
const copiedBytesMax = 4_096;

const blockBytesMin = 512;
const blockBytesMax = 16_384;

/** Before each copied frame stands its length. Counted for every frame, so that the count is the same for all. */
export const keptLengthBytes = 2;

type Block = { readonly bytes: Uint8Array; read: number; written: number };

/**
 * Frames in the order in which they came. They are kept as bytes, because a frame may be as short as two bytes, and an
 * object for each would take more than fifty times as much.
 */
export class WaitingFrames {
  private blocks: (Block | Uint8Array)[] = [];
  private heldBytes = 0;

  /** Of the frames and what they are kept with. */
  get bytes(): number {
    return this.heldBytes;
  }

  get isEmpty(): boolean {
    return this.heldBytes === 0;
  }

  add(frame: Uint8Array): void {
    this.heldBytes += frame.length + keptLengthBytes;
    if (frame.length >= copiedBytesMax) {
      this.blocks.push(frame);
      return;
    }
    const { bytes, written } = this.blockFor(frame.length + keptLengthBytes);
    bytes[written] = frame.length & 0xff;
    bytes[written + 1] = frame.length >>> 8;
    bytes.set(frame, written + keptLengthBytes);
  }

  /** The first of them, which waits no longer. It shares no memory with the others. */
  shift(): Uint8Array | undefined {
    const [block] = this.blocks;
    if (block === undefined) return undefined;
    const frame = block instanceof Uint8Array ? block : shifted(block);
    if (block === frame || isDone(block)) this.blocks.shift();
    this.heldBytes -= frame.length + keptLengthBytes;
    return frame;
  }

  clear(): void {
    this.blocks = [];
    this.heldBytes = 0;
  }

  /** The block whose last bytes, so many, are taken for the next frame. */
  private blockFor(length: number): { readonly bytes: Uint8Array; readonly written: number } {
    const last = this.blocks.at(-1);
    const isFull = last === undefined || last instanceof Uint8Array || last.written + length > last.bytes.length;
    const block = isFull ? { bytes: new Uint8Array(this.sizeOfNext(length)), read: 0, written: 0 } : last;
    if (isFull) this.blocks.push(block);
    const { bytes, written } = block;
    block.written += length;
    return { bytes, written };
  }

  /** Hardly anything ever waits, so the first block is small. */
  private sizeOfNext(length: number): number {
    return Math.max(length, Math.min(blockBytesMax, Math.max(blockBytesMin, this.heldBytes)));
  }
}

const isDone = (block: Block | Uint8Array): boolean => !(block instanceof Uint8Array) && block.read === block.written;

const shifted = (block: Block): Uint8Array => {
  const { bytes, read } = block;
  const [low = 0, high = 0] = [bytes[read], bytes[read + 1]];
  const begin = read + keptLengthBytes;
  const end = begin + (low | (high << 8));
  block.read = end;
  return bytes.slice(begin, end);
};
