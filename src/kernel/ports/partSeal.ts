/** Bytes that sealing adds to a part. */
export const partSealBytes = 29;

/** Seals the parts of files, each under the key of its file. It is synchronous: a part has `partBytesMax` at most. */
export interface PartSeal {
  newKey(this: void): Uint8Array;
  /** `place` says which part of which file it is, and does not come back. */
  seal(this: void, key: Uint8Array, place: string, plain: Uint8Array): Uint8Array;
  /** `undefined` for what was sealed under another key, for another place, or is damaged. */
  open(this: void, key: Uint8Array, place: string, sealed: Uint8Array): Uint8Array | undefined;
}
