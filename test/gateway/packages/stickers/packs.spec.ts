import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { emojiMax } from '../../../../src/domain/stickers/decide.js';
import { stickerPackStream } from '../../../../src/domain/stickers/events.js';
import { emojiInFullMax } from '../../../../src/gateway/packages/stickers/savedPacks.js';
import { sinceIn } from '../../../../src/gateway/packages/stickers/wire.js';
import { StickerPackType } from '../../../../src/gen/stickers.js';
import type { Event } from '../../../../src/kernel/event.js';
import {
  snowflakeOf,
  type CommunityId,
  type FileId,
  type Millis,
  type StickerPackId,
  type UserId,
} from '../../../../src/kernel/ids.js';
import { permission, usualPermissions } from '../../../../src/kernel/permissions.js';
import { ada, bob, cleo, community, dora, general, joined } from '../../../support/house/cast.js';
import { house, type House } from '../../../support/house/house.js';
import type { Node } from '../../../support/house/node.js';
import { moving, painted, saysPlace, withPlace } from '../../../support/pictures/samples.js';
import { hourMillis, refTo, sweep, upload, whole } from '../../files/filing.js';
import { addSticker, namesIn, newEmoji, newSticker, packFor, packOf, png, removeSticker } from './emoji.js';

let here: House;
let node: Node;
let desk: Node;
before(async () => {
  here = await house();
  node = await here.node();
  desk = await here.node();
});
after(() => here.close());

let communities = 200n;
/** A community of Ada's with Bob in it, who may change its pack or not. */
const founded = async ({ bobMay }: { readonly bobMay?: true } = {}): Promise<CommunityId> => {
  communities += 1n;
  const id = communities as CommunityId;
  const defaultPermissions = usualPermissions | (bobMay === true ? permission.modifyLinkedStickers : 0n);
  await here.happened(`community-${id.toString()}`, {
    type: 'CommunityCreated',
    data: { community: id, owner: ada, defaultPermissions, name: 'Chess' },
  });
  for (const user of [ada, bob]) await joins(user, id);
  return id;
};

const joins = (user: UserId, of: CommunityId): Promise<void> => {
  const data = { ...(joined(user).data as object), community: of };
  return here.happened(`member-${of.toString()}.${user.toString()}`, { type: 'MemberJoined', data });
};

/** Emoji stand in the log, without files. */
const stored = (of: CommunityId, from: number, count: number): readonly Event[] =>
  Array.from({ length: count }, (_, at) => ({
    type: 'EmojiAdded',
    data: {
      community: of,
      pack: (of + 100_000n) as StickerPackId,
      emoji: (BigInt(from + at) + of * 1_000n) as FileId,
      uploader: ada,
      bytes: 70,
      width: 128,
      height: 128,
      animated: false,
      name: `emoji_${(from + at).toString()}`,
      key: '',
      mimetype: 'image/png',
    },
  }));

const fill = async (of: CommunityId, count: number): Promise<void> => {
  for (let from = 0; from < count; from += 100) {
    await here.happened(stickerPackStream(of), ...stored(of, from, Math.min(100, count - from)));
  }
};

const refused = (who: bigint, pack: bigint) => node.refused(who as never, 'stickersGetStickerPack', packOf(pack));

describe('the pack of a community', () => {
  it('is empty, and called as the community is, before there is an emoji', async () => {
    assert.deepEqual(await packFor(node, bob), {
      id: community,
      type: StickerPackType.EMOJI,
      name: 'Engines',
      stickers: [],
    });
  });

  it('has what was added, in its order, for the next who asks on any node, by either id', async () => {
    const of = await founded();
    for (const name of ['wave', 'dance']) assert.equal(await addSticker(node, ada, name, of), 'done');
    const pack = await packFor(desk, bob, of);
    assert.notEqual(pack.id, of);
    assert.deepEqual(namesIn(pack), ['wave', 'dance']);
    assert.deepEqual(await packFor(node, bob, pack.id), pack);
    const [file] = pack.stickers;
    assert.deepEqual([file?.mimetype, file?.metadata?.customEmoji?.pack?.id], ['image/webp', pack.id]);
  });

  it('is there for members alone', async () => {
    const of = await founded();
    await newEmoji(node, ada, of);
    const { id } = await packFor(node, ada, of);
    for (const pack of [of, id, 5n, 0n]) assert.equal(await refused(cleo, pack), 'STICKER_PACK_NOT_FOUND');
    for (const rpc of [
      'stickersGetStickerPack',
      'stickersAddStickerToPack',
      'stickersRemoveStickerFromPack',
    ] as const) {
      const sticker = { file: { id: 1n, partCount: 1 }, filename: 'wave.png' };
      assert.equal(await node.refused(ada, rpc, { sticker }), 'INVALID_ARGUMENT');
    }
  });

  it('is changed by those with the right, also with its own id', async () => {
    const [closed, open] = [await founded(), await founded({ bobMay: true })];
    const emoji = await newEmoji(node, ada, closed);
    assert.equal(await addSticker(node, bob, 'wave', closed), 'MISSING_PERMISSION');
    assert.equal(await removeSticker(node, bob, emoji, closed), 'MISSING_PERMISSION');
    assert.equal(await addSticker(node, cleo, 'wave', open), 'STICKER_PACK_NOT_FOUND');
    assert.equal(await addSticker(node, bob, 'wave', open), 'done');
    const { id, stickers } = await packFor(node, ada, open);
    assert.equal(await addSticker(node, bob, 'dance', id), 'done');
    assert.equal(await removeSticker(desk, bob, stickers[0]?.fileId as FileId, id), 'done');
    assert.deepEqual(namesIn(await packFor(node, ada, open)), ['dance']);
    assert.equal(await removeSticker(node, bob, stickers[0]?.fileId as FileId, id), 'done');
    assert.equal(await removeSticker(node, bob, emoji, open), 'EMOJI_NOT_FOUND');
  });

  it('is changed with the rights of the moment of the append', async () => {
    const of = await founded({ bobMay: true });
    const request = await newSticker(node, bob, 'wave', of);
    node.atNextWait(() =>
      here.happened(`member-${of.toString()}.${bob.toString()}`, {
        type: 'MemberLeft',
        data: { community: of, user: bob },
      }),
    );
    assert.equal((await node.refused(bob, 'stickersAddStickerToPack', request)).endsWith('NOT_FOUND'), true);
    assert.deepEqual((await packFor(node, ada, of)).stickers, []);
  });

  it('has each name once, whatever its case, and takes a name again that was removed', async () => {
    const of = await founded();
    const wave = await newEmojiNamed('Wave', of);
    assert.equal(await addSticker(desk, ada, 'wAVE', of), 'EMOJI_NAME_TAKEN');
    assert.equal(await removeSticker(node, ada, wave, of), 'done');
    const other = await newEmojiNamed('wave', of);
    assert.notEqual(other, wave);
    const { files } = await node.must(dora, 'stickersGetStickerFiles', { stickerIds: [wave, other] });
    assert.deepEqual(namesIn({ stickers: files.files } as never), ['Wave', 'wave']);
  });

  it('takes the name of the file where the client names no emoji', async () => {
    const of = await founded();
    for (const [filename, name] of [
      ['party.parrot.gif', ''],
      ['', 'My wave.png'],
    ] as const) {
      const id = await upload(node, ada, png);
      const file = { id, name, partCount: 1 };
      const sticker = { file, filename, mimetype: 'image/png', metadata: { customEmoji: { emoji: '' } } };
      await node.must(ada, 'stickersAddStickerToPack', { ...packOf(of), sticker });
    }
    assert.deepEqual(namesIn(await packFor(node, ada, of)), ['party_parrot', 'My_wave']);
  });

  it('takes no name that nobody could type, and no upload that is no picture', async () => {
    const of = await founded();
    for (const name of ['a', 'a b', ':wave:', 'a'.repeat(33), '👍🏽👍🏽']) {
      assert.equal(await addSticker(node, ada, name, of), 'INVALID_NAME', name);
    }
    const request = await newSticker(node, ada, 'wave', of);
    const { sticker } = request;
    const asked = (changes: Partial<typeof sticker>) =>
      node.refused(ada, 'stickersAddStickerToPack', { ...request, sticker: { ...sticker, ...changes } });
    assert.equal(await asked({ file: { ...sticker.file, partCount: 2 } }), 'INVALID_UPLOAD');
    assert.equal(await asked({ file: { ...sticker.file, id: 1n } }), 'INVALID_UPLOAD');
    for (const bytes of [Buffer.from('<svg/>'), png.subarray(0, 40)]) {
      const id = await upload(node, ada, bytes);
      assert.equal(await asked({ file: { ...sticker.file, id } }), 'INVALID_PICTURE');
    }
    // One that is attached is another file.
    const id = await upload(node, ada, png);
    await node.send(ada, { chatRef: general, media: [refTo(id)] });
    assert.equal(await asked({ file: { ...sticker.file, id } }), 'INVALID_UPLOAD');
    assert.deepEqual((await packFor(node, ada, of)).stickers, []);
  });

  it('is asked twice for one upload, and has it once', async () => {
    const [of, another] = [await founded(), await founded()];
    const request = await newSticker(node, ada, 'wave', of);
    await node.must(ada, 'stickersAddStickerToPack', request);
    await node.must(ada, 'stickersAddStickerToPack', request);
    assert.deepEqual(namesIn(await packFor(node, ada, of)), ['wave']);
    const elsewhere = node.refused(ada, 'stickersAddStickerToPack', { ...request, ...packOf(another) });
    assert.equal(await elsewhere, 'INVALID_UPLOAD');
  });

  it('has a bound, which two nodes keep', async () => {
    const of = await founded();
    await fill(of, emojiMax - 1);
    const [one, other] = [await newSticker(node, ada, 'wave', of), await newSticker(desk, ada, 'dance', of)];
    const answers = await Promise.all([
      node.ask(ada, 'stickersAddStickerToPack', one),
      desk.ask(ada, 'stickersAddStickerToPack', other),
    ]);
    const refusals = answers.flatMap((answer) => ('rejected' in answer ? answer.rejected : []));
    assert.deepEqual(refusals, ['TOO_MANY']);
    assert.equal((await packFor(node, bob, of)).stickers.length, emojiMax);
  });
});

const bytesFor = async (who: UserId, file: FileId): Promise<Buffer> => {
  const found = await whole(desk, who, file);
  return typeof found === 'string' ? assert.fail(found) : found;
};

const newEmojiNamed = async (name: string, of: CommunityId): Promise<FileId> => {
  assert.equal(await addSticker(node, ada, name, of), 'done');
  return (await packFor(node, ada, of)).stickers.at(-1)?.fileId as FileId;
};

describe('the picture of an emoji', () => {
  it('is read by everybody, and said everything of', async () => {
    const emoji = await newEmoji(node, ada);
    const { files } = await desk.must(dora, 'stickersGetStickerFiles', { stickerIds: [5n as FileId, emoji, emoji] });
    const [file] = files.files;
    assert.deepEqual([files.files.length, file?.fileId], [1, emoji]);
    assert.equal((await bytesFor(dora, emoji)).length, Number(file?.size));
  });

  it('fits into a small square, moves if it did, and says nothing else', async () => {
    const of = await founded();
    const still = await withPlace(painted(300, 150).jpeg()).toBuffer();
    const moves = await (await moving({ width: 200, height: 200 }, 5)).gif().toBuffer();
    const facts: unknown[] = [];
    for (const [name, bytes] of Object.entries({ still, moves })) {
      const request = await newSticker(node, ada, name, of);
      const file = { ...request.sticker.file, id: await upload(node, ada, bytes) };
      // What the client says of it is not believed.
      const sticker = { ...request.sticker, file, mimetype: 'text/html' };
      await node.must(ada, 'stickersAddStickerToPack', { ...request, sticker });
      const shown = (await packFor(node, ada, of)).stickers.at(-1);
      const { width, height, animated } = shown?.metadata?.customEmoji ?? {};
      facts.push([shown?.mimetype, width, height, animated]);
      assert.ok(!(await saysPlace(await bytesFor(dora, shown?.fileId as FileId))));
    }
    assert.deepEqual(facts, [
      ['image/webp', 128, 64, false],
      ['image/webp', 128, 128, true],
    ]);
  });

  it('stays once it was removed, however often nothing else uses it', async () => {
    const [kept, gone] = [await newEmoji(node, ada), await newEmoji(node, ada)];
    await removeSticker(node, ada, gone);
    for (let sweeps = 0; sweeps < 2; sweeps += 1) {
      here.clock.at += 25 * hourMillis;
      await sweep(here, node);
    }
    for (const emoji of [kept, gone]) assert.ok((await bytesFor(dora, emoji)).length > 0);
    const { files } = await node.must(dora, 'stickersGetStickerFiles', { stickerIds: [gone] });
    assert.equal(files.files.length, 1);
  });

  it('goes with the pack', async () => {
    const of = await founded();
    const emoji = [await newEmoji(node, ada, of), await newEmoji(node, ada, of)];
    await removeSticker(node, ada, emoji[0] as FileId, of);
    const { id: pack } = await packFor(node, ada, of);
    await here.happened(stickerPackStream(of), {
      type: 'StickerPackEnded',
      data: { community: of, pack, released: emoji },
    });
    for (const one of emoji) assert.equal(await whole(node, ada, one), 'FILE_NOT_FOUND');
    here.clock.at += 2 * hourMillis;
    await sweep(here, node);
    here.clock.at += 2 * hourMillis;
    await sweep(here, node);
    for (const one of emoji) {
      const named = `files/${one.toString()}/`;
      assert.deepEqual(await here.blobs.list(named, { limit: 10 }), []);
    }
  });
});

describe('saved stickers', () => {
  const saved = async (who: bigint, since?: bigint) =>
    (await node.must(who as never, 'stickersGetSavedStickers', { since })).savedStickers.savedPacks;

  it('are the packs of the communities that the user is in', async () => {
    const of = await founded();
    await newEmojiNamed('wave', of);
    const pack = await packFor(node, bob, of);
    assert.deepEqual(
      (await saved(bob)).find(({ id }) => id === pack.id),
      pack,
    );
    assert.deepEqual(await saved(dora), []);
    assert.equal(
      (await saved(cleo)).some(({ id }) => id === pack.id),
      false,
    );
  });

  it('are those that changed, or came to the user, since a moment in any unit', async () => {
    const of = await founded();
    await newEmojiNamed('wave', of);
    const { id } = await packFor(node, bob, of);
    const later = BigInt(Math.floor(here.clock.at / 1_000) + 10);
    here.clock.at += 20_000;
    const has = async (since: bigint) => (await saved(bob, since)).some((pack) => pack.id === id);
    assert.deepEqual([await has(0n), await has(later)], [true, false]);
    await newEmojiNamed('dance', of);
    const asId = snowflakeOf({ at: (Number(later) * 1_000) as Millis, node: 0, counter: 0 });
    assert.deepEqual([await has(later), await has(later * 1_000n), await has(asId)], [true, true, true]);
    assert.equal(await has(later + 60n), false);
    await here.happened(`member-${of.toString()}.${bob.toString()}`, {
      type: 'MemberLeft',
      data: { community: of, user: bob },
    });
    assert.equal(await has(0n), false);
  });

  it('read a moment in the unit in which it is given', () => {
    assert.deepEqual(
      [1_800_000_000n, 1_800_000_000_123n, snowflakeOf({ at: 1_800_000_000_123 as Millis, node: 3, counter: 9 })].map(
        sinceIn,
      ),
      [1_800_000_000_000, 1_800_000_000_123, 1_800_000_000_123],
    );
    assert.ok(sinceIn(2n ** 64n - 1n) > 1_800_000_000_000);
  });

  it('name the last ones of very many by their ids alone', async () => {
    const mine: CommunityId[] = [];
    const packs = emojiInFullMax / emojiMax + 1;
    for (let count = 0; count < packs; count += 1) {
      const of = await founded();
      mine.push(of);
      await fill(of, emojiMax);
    }
    const all = (await saved(ada)).flatMap(({ stickers }) => stickers);
    assert.equal(all.filter(({ metadata }) => metadata !== undefined).length, emojiInFullMax);
    const [first] = all.filter(({ metadata }) => metadata === undefined);
    const { files } = await node.must(ada, 'stickersGetStickerFiles', { stickerIds: [first?.fileId as FileId] });
    assert.equal(files.files[0]?.metadata?.customEmoji?.emoji.startsWith('emoji_'), true);
  });
});

describe('an emoji of somebody who is erased', () => {
  it('is gone, with its picture', async () => {
    const of = await founded({ bobMay: true });
    // Dora is in no other community, so all of hers is said in full.
    for (const user of [cleo, dora]) await joins(user, of);
    const emoji = await newEmoji(node, cleo, of);
    await newEmoji(node, ada, of);
    here.sealer.shred(cleo.toString());
    here.sealer.forget();
    const pack = await packFor(node, ada, of);
    assert.equal(pack.stickers.length, 1);
    const { savedStickers } = await node.must(dora, 'stickersGetSavedStickers', {});
    assert.deepEqual(
      savedStickers.savedPacks.find(({ id }) => id === pack.id),
      pack,
    );
    assert.equal(await whole(node, ada, emoji), 'FILE_NOT_FOUND');
    const { files } = await node.must(ada, 'stickersGetStickerFiles', { stickerIds: [emoji] });
    assert.deepEqual(files.files, []);
  });
});
