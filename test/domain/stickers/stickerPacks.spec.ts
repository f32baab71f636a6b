import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StickerPackCommand } from '../../../src/domain/stickers/commands.js';
import { emojiMax, releasedPerEventMax, removedKeptMax, stickerPacks } from '../../../src/domain/stickers/decide.js';
import { emojiName, nameFromFile } from '../../../src/domain/stickers/emojiName.js';
import type { StickerPackEvent } from '../../../src/domain/stickers/events.js';
import { isRejection } from '../../../src/kernel/decider.js';
import type { CommunityId, FileId, StickerPackId, UserId } from '../../../src/kernel/ids.js';
import { shredded } from '../../../src/kernel/opened.js';
import type { Bare } from '../../support/bare.js';
import { givenFor } from '../../support/given.js';

const given = givenFor(stickerPacks);
const community = 1n as CommunityId;
const [pack, otherPack] = [2n as StickerPackId, 3n as StickerPackId];
const by = 4n as UserId;
const inPack = { community, pack };
const picture = { key: 'key', mimetype: 'image/png', bytes: 5, width: 128, height: 128, animated: false };
const emojiOf = (id: number): FileId => BigInt(id) as FileId;
const added = (id: number, name = `emoji_${id.toString()}`): Bare<StickerPackEvent> => ({
  type: 'EmojiAdded',
  data: { ...inPack, ...picture, emoji: emojiOf(id), uploader: by, name },
});
const removed = (id: number, ...released: readonly number[]): Bare<StickerPackEvent> => ({
  type: 'EmojiRemoved',
  data: { ...inPack, emoji: emojiOf(id), by, released: released.map(emojiOf) },
});
const ended = (...released: readonly number[]): Bare<StickerPackEvent> => ({
  type: 'StickerPackEnded',
  data: { ...inPack, released: released.map(emojiOf) },
});
const add = (id: number, name: string, newPack = otherPack): StickerPackCommand => ({
  type: 'AddStickerToPack',
  data: { community, newPack, ...picture, emoji: emojiOf(id), uploader: by, name },
});
const remove = (id: number): StickerPackCommand => ({
  type: 'RemoveStickerFromPack',
  data: { community, emoji: emojiOf(id), by },
});
const end: StickerPackCommand = { type: 'EndStickerPack', data: { community } };
const numbers = (from: number, count: number): readonly number[] => Array.from({ length: count }, (_, at) => from + at);
const full = numbers(100, emojiMax).map((id) => added(id));

describe('adding an emoji', () => {
  it('makes the pack with the first, and the others go into that', () => {
    given()
      .when(add(10, 'wave', pack))
      .thenOnce(added(10, 'wave'));
    given(added(10, 'wave')).when(add(11, 'dance')).thenOnce(added(11, 'dance'));
  });
  it('is refused for a name that another one has in any case', () => {
    given(added(10, 'Straße')).when(add(11, 'STRASSE')).refuses('EMOJI_NAME_TAKEN');
    given(added(10, 'ΣΊΣΥΦΟΣ')).when(add(11, 'σίσυφος')).refuses('EMOJI_NAME_TAKEN');
    given(added(10, 'wave'), removed(10)).when(add(11, 'Wave')).thenOnce(added(11, 'Wave'));
  });
  it('is refused beyond the bound, and those that were removed do not count', () => {
    given(...full.slice(1))
      .when(add(10, 'wave'))
      .thenOnce(added(10, 'wave'));
    given(...full)
      .when(add(10, 'wave'))
      .refuses('TOO_MANY');
    given(...full, removed(100))
      .when(add(10, 'wave'))
      .thenOnce(added(10, 'wave'));
  });
  it('is done once for one upload, which becomes no second emoji', () => {
    given(...full)
      .when(add(100, 'EMOJI_100'))
      .then();
    given(added(10, 'wave')).when(add(10, 'dance')).refuses('INVALID_UPLOAD');
    given(added(10, 'wave'), removed(10)).when(add(10, 'wave')).refuses('INVALID_UPLOAD');
  });
  it('finds no place or name taken by those of erased users', () => {
    const erased = { ...added(100), data: { ...added(100).data, name: shredded } } as Bare<StickerPackEvent>;
    given(erased, ...full.slice(1))
      .when(add(10, 'emoji_100'))
      .then(added(10, 'emoji_100'));
  });
  it('is refused once the pack ended', () => {
    given(added(10), ended(10)).when(add(11, 'wave')).refuses('STICKER_PACK_NOT_FOUND');
  });
});

describe('removing an emoji', () => {
  it('is done once', () => {
    given(added(10)).when(remove(10)).thenOnce(removed(10));
    given(added(10)).when(remove(11)).refuses('EMOJI_NOT_FOUND');
    given().when(remove(10)).refuses('EMOJI_NOT_FOUND');
  });
  it('releases the one that was removed the longest ago, when there are too many', () => {
    const gone = numbers(1_000, removedKeptMax).flatMap((id) => [added(id), removed(id)]);
    given(...gone.slice(2), added(10))
      .when(remove(10))
      .thenOnce(removed(10));
    given(...gone, added(10))
      .when(remove(10))
      .thenOnce(removed(10, 1_000));
    given(...gone, added(10), removed(10, 1_000))
      .when(remove(1_000))
      .refuses('EMOJI_NOT_FOUND');
  });
});

describe('the end of a pack', () => {
  it('releases all emoji, those that were removed among them', () => {
    given(added(10), added(11), removed(10)).when(end).thenOnce(ended(10, 11));
    given().when(end).then();
  });
  it('takes several events where there are more than fit into one', () => {
    const all = numbers(1_000, releasedPerEventMax + 1);
    given(...all.map((id) => added(id)))
      .when(end)
      .then(ended(...all.slice(0, -1)), ended(...all.slice(-1)));
  });
});

describe('the name of an emoji', () => {
  it('has 2 to 32 letters, digits and marks that join words', () => {
    for (const name of ['ok', 'party_parrot', '+1', 'e-mail', '写真', '한국', 'ok'.repeat(16)]) {
      assert.equal(emojiName(name), name);
    }
    for (const name of ['', 'a', '한', 'ok'.repeat(16) + 'a', 'a b', ':ok:', 'a.png', '👍👍', 'a\u202eb', 'a\u0000b']) {
      assert.ok(isRejection(emojiName(name)), name);
    }
  });
  it('is kept composed', () => {
    assert.equal(emojiName('cafe\u0301'), 'café');
    // Some characters are longer when they are composed.
    assert.ok(isRejection(emojiName('\u0958'.repeat(17))));
  });
  it('may be taken from a file', () => {
    assert.equal(nameFromFile('party.parrot.gif'), 'party_parrot');
    assert.equal(nameFromFile('My Emoji (1).png'), 'My_Emoji_1');
    assert.equal(nameFromFile(`${'a'.repeat(40)}.png`), 'a'.repeat(32));
    assert.equal(nameFromFile('.png'), '');
  });
});
