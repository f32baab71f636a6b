import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { FileId } from '../../../src/kernel/ids.js';
import { bob, general } from '../../support/house/cast.js';
import { house, type House } from '../../support/house/house.js';
import type { Node } from '../../support/house/node.js';
import { painted, saysPlace, withPlace } from '../../support/pictures/samples.js';
import { attach, refTo, upload, whole } from './filing.js';

let here: House;
let node: Node;
before(async () => {
  here = await house();
  node = await here.node();
});
after(() => here.close());

const place = Buffer.from('GPSLatitude 48.2082');
/** The beginning of such a file, as its standard has it, and a place behind it. */
const headed = (...beginning: readonly (string | number)[]): Buffer =>
  Buffer.concat([
    ...beginning.map((one) => (typeof one === 'string' ? Buffer.from(one, 'latin1') : Buffer.from([one]))),
    Buffer.alloc(64),
    place,
  ]);
const box = (name: string): Buffer => headed(0, 0, 0, 24, 'ftyp', name);

const others: readonly (readonly [string, Buffer])[] = [
  ['image/heic', box('heic')],
  ['image/heif', box('mif1')],
  ['image/heic-sequence', box('hevc')],
  ['image/tiff', headed('II', 42, 0)],
  ['image/tiff', headed('MM', 0, 42)],
  ['image/tiff', headed('II', 43, 0, 8, 0)],
  ['image/jxl', headed(0xff, 0x0a, 0xfa)],
  ['image/jxl', headed(0, 0, 0, 12, 'JXL ', 13, 10, 0x87, 10)],
  ['image/jp2', headed(0, 0, 0, 12, 'jP  ', 13, 10, 0x87, 10)],
  ['image/j2c', headed(0xff, 0x4f, 0xff, 0x51)],
  ['image/vnd.ms-photo', headed('II', 0xbc, 1)],
  ['image/bmp', headed('BM', 99, 0, 0, 0, 0, 0, 0, 0)],
  ['image/x-icon', headed(0, 0, 1, 0, 1, 0)],
  ['image/vnd.adobe.photoshop', headed('8BPS', 0, 1)],
  ['image/x-canon-cr2', headed('II', 42, 0, 16, 0, 0, 0, 'CR')],
  ['image/x-canon-cr3', box('crx ')],
  ['image/x-nikon-nef', headed('MM', 0, 42)],
  ['image/x-adobe-dng', headed('II', 42, 0)],
  ['image/x-olympus-orf', headed('IIRO')],
  ['image/x-panasonic-rw2', headed('IIU', 0)],
  ['image/x-fuji-raf', headed('FUJIFILMCCD-RAW ')],
  ['image/x-minolta-mrw', headed(0, 'MRM')],
  ['image/x-sigma-x3f', headed('FOVb')],
];

describe('a picture that cannot be made anew', () => {
  for (const [mimetype, bytes] of others) {
    it(`is refused as a picture, and stays as it is as a file: ${mimetype} ${bytes.toString('hex', 0, 4)}`, async () => {
      const id = await upload(node, bob, bytes);
      for (const told of [{ mimetype }, { mimetype: 'image/jpeg' }, { metadata: { image: { width: 1, height: 1 } } }]) {
        const request = { chatRef: general, media: [refTo(id, 1, told)] };
        assert.equal(await node.refused(bob, 'messagesSendMessage', request), 'INVALID_PICTURE');
      }
      const { files } = await attach(node, bob, general, [refTo(id, 1, { mimetype: 'application/octet-stream' })]);
      assert.deepEqual(await whole(node, bob, files[0] as FileId), bytes);
    });
  }

  it('is none that is told in its own type: AVIF becomes WebP, without its place', async () => {
    const bytes = await withPlace(painted(64, 48).avif()).toBuffer();
    assert.ok(await saysPlace(bytes));
    const { files } = await attach(node, bob, general, [
      refTo(await upload(node, bob, bytes), 1, { mimetype: 'image/avif' }),
    ]);
    const found = await whole(node, bob, files[0] as FileId);
    assert.ok(typeof found !== 'string' && found.toString('latin1', 8, 12) === 'WEBP' && !(await saysPlace(found)));
  });
});
