/** Of an object or list, of each field or item, and of each number: about what the engine takes for them. */
const objectBytes = 32;
const fieldBytes = 16;
const unitBytes = 2;

/**
 * About how many bytes of memory a value takes, from above: a part that is there twice counts twice. Takes time
 * with its size, and counts no further than to `bytesMax`. Values may hold each other in no circle.
 */
export const heldBytes = (value: unknown, bytesMax = Infinity): number => {
  const left: unknown[] = [value];
  let bytes = 0;
  while (left.length > 0 && bytes < bytesMax) {
    const one = left.pop();
    if (typeof one === 'string') bytes += objectBytes + unitBytes * one.length;
    else if (one instanceof Uint8Array) bytes += objectBytes + one.length;
    else if (typeof one === 'object' && one !== null) {
      bytes += objectBytes;
      for (const part of partsOf(one)) {
        bytes += fieldBytes;
        if (typeof part === 'string' || typeof part === 'object') left.push(part);
      }
    }
  }
  return bytes;
};

const partsOf = (value: object): Iterable<unknown> => {
  if (value instanceof Map) return [...(value as ReadonlyMap<unknown, unknown>)].flat();
  if (value instanceof Set) return value as ReadonlySet<unknown>;
  return Object.values(value) as unknown[]; // Anything may be in it.
};
