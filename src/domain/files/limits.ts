/** Of one file. A file of no bytes is one empty part. */
export const filePartsMax = 4_096;

/** In bytes. */
export const partBytesMax = 1_048_576;

/** Nothing can be made of an upload that is older. */
export const uploadLifeMillis = 3_600_000;

/** A file whose last use is gone, or about to come, is kept for so long. */
export const unusedMillisMin = 3_600_000;

/** An event says that a file is about to be used, once in so long. It is far less than a file is kept without a use. */
export const usedAgainMillis = 600_000;
