import { bytes, message, number } from '../system/bytes.js';

/** A request with a field number that no RPC has, as a newer client might send it. */
export const unknownRequest = (id: number): Uint8Array => message(number(1, id), bytes(999, message()));
