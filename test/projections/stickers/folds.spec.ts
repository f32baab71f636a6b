import { describe, it } from 'node:test';
import type { FileEvent } from '../../../src/domain/files/events.js';
import type { StickerPackEvent } from '../../../src/domain/stickers/events.js';
import type { CommunityId, FileId, Millis, SessionId, StickerPackId, UserId } from '../../../src/kernel/ids.js';
import { fileDocuments } from '../../../src/projections/files/fold.js';
import { emojiDocuments, stickerPackDocuments } from '../../../src/projections/stickers/fold.js';
import type { Bare } from '../../support/bare.js';
import { given } from '../folded.js';
import { now } from '../setting.js';

const [community, other] = [100n as CommunityId, 200n as CommunityId];
const ada = 1n as UserId;
const packOf = (of: CommunityId): StickerPackId => (of + 1n) as StickerPackId;
const inPack = (of: CommunityId) => ({ community: of, pack: packOf(of) });
const [wave, dance] = [5n as FileId, 6n as FileId];
const picture = {
  bytes: 70,
  width: 128,
  height: 64,
  animated: false,
  name: 'wave',
  key: 'key',
  mimetype: 'image/webp',
};
const added = (emoji: FileId, of = community): Bare<StickerPackEvent> => ({
  type: 'EmojiAdded',
  data: { ...inPack(of), emoji, uploader: ada, ...picture },
});
const removed = (emoji: FileId, released: readonly FileId[] = [], of = community): Bare<StickerPackEvent> => ({
  type: 'EmojiRemoved',
  data: { ...inPack(of), emoji, by: ada, released },
});
const ended = (released: readonly FileId[], of = community): Bare<StickerPackEvent> => ({
  type: 'StickerPackEnded',
  data: { ...inPack(of), released },
});
const shown = (emoji: FileId, isRemoved: Readonly<Record<'removed', boolean>>) => ({
  ...inPack(community),
  ...picture,
  ...isRemoved,
  emoji,
});

describe('an emoji', () => {
  const givenEmoji = given(emojiDocuments);

  it('is there from its adding on, also once it was removed', () => {
    givenEmoji(added(wave), added(dance), removed(wave)).then({
      '5': shown(wave, { removed: true }),
      '6': shown(dance, { removed: false }),
    });
  });
  it('is gone once it was released, or its pack has ended', () => {
    givenEmoji(added(wave), added(dance), removed(wave), removed(dance, [wave])).then({
      '6': shown(dance, { removed: true }),
    });
    givenEmoji(added(wave), added(dance), removed(wave), ended([wave, dance])).then({});
  });
  it('stays in the pack that it was in first, whatever becomes of another one', () => {
    const first = { '5': shown(wave, { removed: false }) };
    givenEmoji(added(wave), added(wave, other)).then(first);
    givenEmoji(added(wave), added(wave, other), removed(wave, [], other)).then(first);
    givenEmoji(added(wave), added(wave, other), ended([wave], other)).then(first);
  });
});

describe('a pack', () => {
  const givenPack = given(stickerPackDocuments);
  const both = (document: Bare<object>) => ({ '100': document, '101': document }) as never;

  it('is found under its own id and that of its community, with what can be used', () => {
    const emoji = [wave, dance];
    givenPack(added(wave), added(dance)).then(both({ ...inPack(community), emoji, changedAt: now }));
    givenPack(added(wave), removed(wave)).then(both({ ...inPack(community), emoji: [], changedAt: now }));
  });
  it('is gone with its end', () => {
    givenPack(added(wave), ended([wave])).then({});
  });
});

describe('the file of an emoji', () => {
  const made: Bare<FileEvent> = {
    type: 'FileMade',
    data: {
      file: wave,
      uploader: ada,
      session: 9n as SessionId,
      upload: 7n,
      at: 3 as Millis,
      bytes: 70,
      parts: 1,
      manifest: '',
    },
  };
  const file = { file: wave, uploader: ada, bytes: 70 };
  const givenFile = given(fileDocuments);

  it('is used until the emoji is released, not until it is removed', () => {
    const used = { '5': { ...file, uses: 1, since: 3 as Millis } };
    const unused = { '5': { ...file, uses: 0, since: now } };
    givenFile(made, added(wave)).then(used);
    givenFile(made, added(wave), removed(wave)).then(used);
    givenFile(made, added(wave), removed(wave), removed(dance, [wave])).then(unused);
    givenFile(made, added(wave), ended([wave])).then(unused);
  });
});
