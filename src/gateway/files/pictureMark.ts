/** The bytes of a beginning that are looked at. */
export const markBytes = 16;

/**
 * The first bytes of a file are those of a picture of a kind that is `read`, one of `another` kind that cameras and scanners make, or of `none`. They are
 * no promise: a picture is known to be one once it was read.
 */
export const pictureMark = (beginning: Uint8Array): 'read' | 'another' | 'none' => {
  const hex = Buffer.from(beginning.subarray(0, markBytes)).toString('hex');
  if (readMarks.some((mark) => mark.test(hex))) return 'read';
  return otherMarks.some((mark) => mark.test(hex)) ? 'another' : 'none';
};

/** Of 4 bytes in hexadecimal digits. */
const any = '.{8}';
const ascii = (text: string): string => Buffer.from(text, 'latin1').toString('hex');
const brand = (...brands: readonly string[]): RegExp =>
  new RegExp(`^${any}${ascii('ftyp')}(${brands.map(ascii).join('|')})`);

/** JPEG, PNG, GIF, WebP and AVIF. */
const readMarks = [
  /^ffd8ff/,
  /^89504e470d0a1a0a/,
  new RegExp(`^${ascii('GIF8')}(37|39)61`),
  new RegExp(`^${ascii('RIFF')}${any}${ascii('WEBP')}`),
  brand('avif', 'avis'),
];

/**
 * TIFF small and big, which most raw pictures of cameras are too; HEIC and its relatives; JPEG XL, 2000 and XR; BMP with the zeros of its
 * head; icons; Photoshop; and raw pictures of Canon, Olympus, Panasonic, Fujifilm, Minolta and Sigma, which are no TIFF. All but BMP have
 * room for a place.
 */
const otherMarks = [
  /^(49492[ab]00|4d4d002[ab])/,
  brand('heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs', 'mif1', 'mif2', 'msf1', 'crx '),
  new RegExp(`^(ff0a|0000000c${ascii('JXL ')})`),
  new RegExp(`^(ff4fff51|0000000c${ascii('jP  ')}|4949bc)`),
  new RegExp(`^${ascii('BM')}${any}00000000`),
  /^0000(01|02)00(?!0000)/,
  new RegExp(`^${ascii('8BPS')}`),
  new RegExp(`^(${['IIRO', 'IIRS', 'MMOR', 'FUJIFILMCCD-RAW', 'FOVb', '\0MRM'].map(ascii).join('|')}|49495500)`),
];
