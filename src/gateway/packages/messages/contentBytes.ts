import type { Entity } from '../../../domain/messages/events.js';

export type Written = { readonly text: string; readonly entities: readonly Entity[] };

/** As UTF-8 JSON. */
export const contentBytes = (written: readonly Written[]): number =>
  Buffer.byteLength(
    JSON.stringify(written, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)),
  );
