import { rgbaToThumbHash } from 'thumbhash';

/** The longest side of what a thumb is made of, in pixels. */
export const thumbSourcePixelsMax = 100;

export type Pixels = { readonly width: number; readonly height: number; readonly rgba: Uint8Array };

/** Some 20 bytes that clients make a blurred picture of. */
export const thumbOf = ({ width, height, rgba }: Pixels): Uint8Array => rgbaToThumbHash(width, height, rgba);
