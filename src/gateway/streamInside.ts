import type { Socket } from 'node:net';

/**
 * Bytes of the write under way that the system has not taken yet. `writableLength` falls only when a whole write has
 * been taken, which a slow line needs minutes for; by this number its progress is seen. Node keeps it on the handle,
 * where its own socket timeout looks as well (Node 20 to 24); a test fails when it is no longer there.
 */
export const untakenBytes = (stream: Socket): number => {
  const { _handle: handle } = stream as unknown as Inside; // See above.
  return handle?.writeQueueSize ?? 0;
};

type Inside = { readonly _handle?: { readonly writeQueueSize?: number } | null };
