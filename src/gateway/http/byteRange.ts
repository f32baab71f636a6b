/** Bytes of a file, `to` not included. */
export type ByteRange = { readonly from: number; readonly to: number };

/**
 * The part that a Range header asks for (RFC 9110, 14.1). `all` without one, and for what a server may pass over: another
 * unit, several ranges, a range that ends before it begins. `none` when no byte of the range is there.
 */
export const byteRangeOf = (header: string | undefined, bytes: number): ByteRange | 'all' | 'none' => {
  const [, first = '', last = ''] = oneRange.exec(header ?? '') ?? [];
  if (first === '') return last === '' ? 'all' : lastOf(Number(last), bytes);
  const from = Number(first);
  if (last !== '' && Number(last) < from) return 'all';
  if (from >= bytes) return 'none';
  return { from, to: last === '' ? bytes : Math.min(Number(last) + 1, bytes) };
};

const oneRange = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i;

/** A file of no bytes has no last ones, and a range of none could not be written. */
const lastOf = (count: number, bytes: number): ByteRange | 'none' =>
  count === 0 || bytes === 0 ? 'none' : { from: Math.max(0, bytes - count), to: bytes };
