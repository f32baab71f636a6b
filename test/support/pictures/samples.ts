import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';

/** A picture of soft colours, one half of which is red, so that it is seen where its right side is. */
export const painted = (width: number, height: number): Sharp =>
  sharp({ create: { width, height, channels: 3, background: { r: 20, g: 60, b: 200 } } }).composite([
    {
      input: {
        create: { width: Math.ceil(width / 2), height, channels: 3, background: { r: 220, g: 20, b: 20 } },
      },
      left: 0,
      top: 0,
    },
  ]);

/** Frames of different colours. */
export const moving = async (
  side: { readonly width: number; readonly height: number },
  frames: number,
): Promise<Sharp> =>
  sharp(
    await Promise.all(
      Array.from({ length: frames }, (_, index) =>
        sharp({ create: { ...side, channels: 3, background: { r: (index * 37) % 256, g: (index * 11) % 256, b: 90 } } })
          .png()
          .toBuffer(),
      ),
    ),
    { join: { animated: true } },
  );

/** Where somebody lives, as cameras write it. */
export const place = 'GPS 52.5163';
const exifPlace = {
  IFD0: { Make: 'Cam', Model: place },
  IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '52/1 30/1 58/1', GPSLongitudeRef: 'E', GPSLongitude: '13/1 22/1 39/1' },
};
const xmpPlace = `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="${place}"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`;

/** The same picture with a place in its EXIF and its XMP. */
export const withPlace = (image: Sharp): Sharp => image.withExif(exifPlace).withXmp(xmpPlace);

/** Whether the bytes, or what is packed in them, say where. */
export const saysPlace = async (bytes: Uint8Array): Promise<boolean> => {
  const { exif, xmp, iptc, comments } = await sharp(bytes).metadata();
  return [exif, xmp, iptc].some((block) => block !== undefined) || comments !== undefined || includes(bytes, place);
};

const includes = (bytes: Uint8Array, text: string): boolean => Buffer.from(bytes).includes(text);

/** The colour of a pixel as it is stored, without its profile. */
export const storedColour = async (bytes: Uint8Array, left: number, top: number): Promise<readonly number[]> => {
  const pixel = sharp(bytes, { ignoreIcc: true }).extract({ left, top, width: 1, height: 1 });
  return [...(await pixel.raw().toBuffer())];
};

/** A white PNG of one bit a pixel: a few thousand bytes, however large. */
export const flatPng = (width: number, height: number): Buffer => {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.writeUInt8(1, 8);
  const rows = deflateSync(Buffer.alloc((Math.ceil(width / 8) + 1) * height), { level: 9 });
  const mark = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([mark, pngChunk('IHDR', head), pngChunk('IDAT', rows), pngChunk('IEND', Buffer.alloc(0))]);
};

export const pngChunk = (type: string, data: Uint8Array): Buffer => {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
};
