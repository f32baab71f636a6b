import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import type { ChatPhoto } from '../../../../src/gen/types.js';
import { editsAtOnceMax } from '../../../../src/kernel/editPace.js';
import { isRejection } from '../../../../src/kernel/decider.js';
import type { FileId, UserId } from '../../../../src/kernel/ids.js';
import { bannerPixelsMax, thumbBytesMax } from '../../../../src/kernel/ports/pictures.js';
import { botAt } from '../../../support/house/bots.js';
import { ada, bob, cleo, community, dora, general, hidden, joined, self } from '../../../support/house/cast.js';
import { house, type House } from '../../../support/house/house.js';
import type { Node, Who } from '../../../support/house/node.js';
import { moving, painted, saysPlace, withPlace } from '../../../support/pictures/samples.js';
import { attach, bytesOf, hourMillis, refTo, storedNames, sweep, upload, whole } from '../../files/filing.js';

let here: House;
let node: Node;
before(async () => {
  here = await house();
  node = await here.node();
});
after(() => here.close());

const sample = async (width = 900, height = 600): Promise<Uint8Array> =>
  withPlace(painted(width, height).jpeg()).toBuffer();

const uploadedBy = async (who: Who, bytes: Uint8Array) => ({
  file: { id: await upload(node, who, bytes), name: 'me.jpg', partCount: 1 },
});

/** As the author of a message. */
const photoOf = async (seen: UserId): Promise<ChatPhoto | undefined> => {
  await node.send(seen, { chatRef: self, message: 'a note' });
  const { messages } = await node.must(seen, 'messagesGetHistory', { chatRef: self });
  return messages.users.find(({ id }) => id === seen)?.photo;
};

const bannerOf = async (seen: typeof bob): Promise<ChatPhoto | undefined> =>
  (await node.must(ada, 'usersGetProfile', { ref: { userId: seen } })).profile.banner;

const communityPhoto = async (viewer = bob): Promise<ChatPhoto | undefined> =>
  (await node.must(viewer, 'communitiesGetCommunities', {})).communities.communities[0]?.photo;

/** As everybody reads a photo; or why not. */
const photoBytes = async (who: Who, fileId: FileId): Promise<string | Buffer> => {
  const asked = { fileRef: { chatPhoto: { fileId } }, offset: 0n, length: 524_288 };
  const answer = await node.ask(who, 'mediaDownloadFilePart', asked);
  return isRejection(answer) ? answer.rejected : Buffer.from(answer.filePart.data);
};

const shown = (photo: ChatPhoto | undefined): ChatPhoto => photo ?? assert.fail('no photo is shown');

const blobsOf = async (file: FileId): Promise<readonly string[]> =>
  (await storedNames(here.blobs)).filter((name) => name.startsWith(`files/${file.toString()}/`));

/** A day later, with two looks at what nothing uses. */
const dayLater = async (): Promise<void> => {
  for (let looks = 0; looks < 3; looks += 1) {
    here.clock.at += 25 * hourMillis;
    await sweep(here, node);
  }
};

describe('the photo of a user', () => {
  it('is a square without places, told to those who see the user, and read by everybody', async () => {
    await node.connect(ada, dora);
    await node.must(bob, 'settingsEditProfilePhoto', await uploadedBy(bob, await sample()));
    const told = node.heard(ada).flatMap(({ user }) => user?.user?.photo ?? []);
    const { fileId, preview } = shown(await photoOf(bob));
    assert.deepEqual(
      told.map((photo) => photo.fileId),
      [fileId],
    );
    assert.ok(preview.length > 0 && preview.length <= thumbBytesMax);
    assert.deepEqual(node.heard(dora), [], 'somebody who does not see the user was told');
    for (const who of [bob, ada, dora]) {
      const bytes = await photoBytes(who, fileId);
      assert.ok(typeof bytes !== 'string', `${String(who)} is refused`);
      const { format, width, height } = await sharp(bytes).metadata();
      assert.deepEqual([format, width, height], ['webp', 512, 512]);
      assert.ok(!(await saysPlace(bytes)));
    }
    assert.equal(await whole(node, ada, fileId), 'FILE_NOT_FOUND', 'a photo is no attachment');
    await node.disconnect(ada);
    await node.disconnect(dora);
  });

  it('is shown wherever the user is, and gone once it is taken away', async () => {
    const { fileId } = shown(await photoOf(bob));
    await node.send(bob, { chatRef: general, message: 'hello' });
    const { messages } = await node.must(ada, 'messagesGetHistory', { chatRef: general });
    assert.equal(messages.users.find(({ id }) => id === bob)?.photo?.fileId, fileId);
    await node.must(bob, 'settingsEditProfilePhoto', {});
    await node.must(bob, 'settingsEditProfilePhoto', {});
    assert.equal(await photoOf(bob), undefined);
    assert.equal(await photoBytes(ada, fileId), 'FILE_NOT_FOUND');
    assert.equal(await photoBytes(bob, fileId), 'FILE_NOT_FOUND');
  });

  it('gives way to the next one at once, and its bytes go within a day', async () => {
    await node.must(cleo, 'settingsEditProfilePhoto', await uploadedBy(cleo, await sample()));
    const former = shown(await photoOf(cleo)).fileId;
    const next = await uploadedBy(cleo, await (await moving({ width: 60, height: 90 }, 3)).gif().toBuffer());
    await node.must(cleo, 'settingsEditProfilePhoto', next);
    const end = await here.log.end();
    // The same once more changes nothing and tells nobody.
    await node.must(cleo, 'settingsEditProfilePhoto', next);
    assert.equal(await here.log.end(), end);
    const { fileId } = shown(await photoOf(cleo));
    assert.notEqual(fileId, former);
    assert.equal(await photoBytes(cleo, former), 'FILE_NOT_FOUND');
    await dayLater();
    assert.deepEqual(await blobsOf(former), []);
    assert.equal((await blobsOf(fileId)).length, 1);
    const bytes = await photoBytes(dora, fileId);
    assert.ok(typeof bytes !== 'string');
    const { width, height, pages = 1 } = await sharp(bytes).metadata();
    assert.deepEqual([width, height, pages], [60, 60, 1]);
  });

  it('is a picture, and of an upload that was meant for nothing else', async () => {
    const end = async (): Promise<bigint> => here.log.end();
    const before = await photoOf(cleo);
    const page = await uploadedBy(cleo, bytesOf(300));
    const at = await end();
    assert.equal(await node.refused(cleo, 'settingsEditProfilePhoto', page), 'INVALID_PICTURE');
    assert.equal(await end(), at);
    const both = await uploadedBy(cleo, await sample());
    await attach(node, cleo, general, [refTo(both.file.id)]);
    assert.equal(await node.refused(cleo, 'settingsEditProfilePhoto', both), 'INVALID_UPLOAD');
    assert.equal(
      await node.refused(cleo, 'settingsEditProfilePhoto', { file: { id: 1n, partCount: 1 } }),
      'INVALID_UPLOAD',
    );
    assert.deepEqual(await photoOf(cleo), before);
  });

  it('is changed thirty times at once and then no more, before a picture is made', async () => {
    const photos = [await uploadedBy(dora, await sample(40, 40)), await uploadedBy(dora, await sample(50, 50))];
    for (let edits = 0; edits < editsAtOnceMax; edits += 1) {
      await node.must(dora, 'settingsEditProfilePhoto', photos[edits % 2] ?? {});
    }
    const last = await uploadedBy(dora, await sample(60, 60));
    const names = await storedNames(here.blobs);
    assert.equal(await node.refused(dora, 'settingsEditProfilePhoto', last), 'RATE_LIMITED');
    assert.equal(await node.refused(dora, 'settingsEditProfileBanner', last), 'RATE_LIMITED');
    assert.deepEqual(await storedNames(here.blobs), names);
    // A client that has lost the answer to the thirtieth asks once more.
    const end = await here.log.end();
    await node.must(dora, 'settingsEditProfilePhoto', photos[(editsAtOnceMax - 1) % 2] ?? {});
    assert.equal(await here.log.end(), end);
    assert.equal(await node.refused(dora, 'settingsEditProfilePhoto', photos[0] ?? {}), 'RATE_LIMITED');
    here.clock.at += 10_000;
    await node.must(dora, 'settingsEditProfilePhoto', last);
  });
});

describe('the banner of a profile', () => {
  it('is shown with the profile, keeps its shape within bounds, and is read by everybody', async () => {
    await node.must(bob, 'settingsEditProfileBanner', await uploadedBy(bob, await sample(3_000, 500)));
    const { fileId } = shown(await bannerOf(bob));
    assert.equal(await photoOf(bob), undefined);
    const bytes = await photoBytes(dora, fileId);
    assert.ok(typeof bytes !== 'string');
    const { width, height } = await sharp(bytes).metadata();
    assert.deepEqual([width, height], [bannerPixelsMax.width, bannerPixelsMax.width / 6]);
    await node.must(bob, 'settingsEditProfileBanner', {});
    assert.equal(await bannerOf(bob), undefined);
    assert.equal(await photoBytes(dora, fileId), 'FILE_NOT_FOUND');
  });
});

describe('the photo of a community', () => {
  it('is changed by those who may, told to all members, and gone with the community', async () => {
    const photo = { communityId: community, ...(await uploadedBy(bob, await sample())) };
    assert.equal(await node.refused(bob, 'communitiesEditPhoto', photo), 'MISSING_PERMISSION');
    assert.equal(await node.refused(dora, 'communitiesEditPhoto', photo), 'COMMUNITY_NOT_FOUND');
    await node.connect(bob, cleo);
    const own = { communityId: community, ...(await uploadedBy(ada, await sample())) };
    await node.must(ada, 'communitiesEditPhoto', own);
    const { fileId } = shown(await communityPhoto());
    for (const member of [bob, cleo]) {
      const told = node.heard(member).flatMap((update) => update.community?.community?.photo ?? []);
      assert.deepEqual(
        told.map((one) => one.fileId),
        [fileId],
      );
    }
    assert.ok(typeof (await photoBytes(dora, fileId)) !== 'string');
    await node.disconnect(bob);
    await node.disconnect(cleo);
    await node.must(ada, 'communitiesEditPhoto', { communityId: community });
    assert.equal(await communityPhoto(), undefined);
    assert.equal(await photoBytes(ada, fileId), 'FILE_NOT_FOUND');

    await node.must(dora, 'communitiesCreateCommunity', { name: 'Short' });
    const [other] = (await node.must(dora, 'communitiesGetCommunities', {})).communities.communities;
    assert.ok(other !== undefined);
    await node.must(dora, 'communitiesEditPhoto', {
      communityId: other.id,
      ...(await uploadedBy(dora, await sample())),
    });
    const [{ photo: last } = {}] = (await node.must(dora, 'communitiesGetCommunities', {})).communities.communities;
    const file = shown(last).fileId;
    await node.must(dora, 'communitiesDeleteCommunity', { communityId: other.id });
    assert.equal(await photoBytes(dora, file), 'FILE_NOT_FOUND');
    await dayLater();
    assert.deepEqual(await blobsOf(file), []);
  });
});

describe('the photo of a cloak', () => {
  it('is any picture that the bot may read: its id goes in, all that shows it comes out', async () => {
    const bot = await botAt(here, node, ada);
    await here.happened(`member-${community.toString()}.${bot.user.toString()}`, joined(bot.user));
    const secret = await attach(node, ada, hidden, [refTo(await upload(node, ada, await sample()))]);
    const { files } = await attach(node, ada, general, [refTo(await upload(node, ada, await sample(80, 40)))]);
    const plain = await attach(node, ada, general, [refTo(await upload(node, ada, bytesOf(20)))]);
    const send = (photoId: FileId | undefined) =>
      bot.ask('messagesSendMessage', {
        chatRef: general,
        message: 'Coffee?',
        botInfo: { cloak: { name: 'Barista', ...(photoId === undefined ? {} : { photoId }) } },
      });
    const refused = async (photoId: FileId | undefined): Promise<string> => {
      const answer = await send(photoId);
      return isRejection(answer) ? answer.rejected : 'sent';
    };
    assert.equal(await refused(secret.files[0]), 'FILE_NOT_FOUND');
    assert.equal(await refused(plain.files[0]), 'INVALID_PICTURE');
    const [file] = files;
    assert.ok(file !== undefined);
    const sent = await send(file);
    assert.ok(!isRejection(sent));
    const { messageId } = sent.sentMessage;
    const found = async () => {
      const { messages } = await node.must(bob, 'messagesGetHistory', {
        chatRef: general,
        around: messageId,
        limit: 1,
      });
      return messages.messages[0];
    };
    const photo = shown((await found())?.botInfo?.cloak?.photo);
    assert.equal(photo.fileId, file);
    assert.ok(photo.preview.length > 0);
    // The message that the picture came from goes; the cloak holds it, also through an edit of the words.
    const { messages } = await node.must(ada, 'messagesGetHistory', { chatRef: general });
    const original = messages.messages.find(({ media }) => media[0]?.file?.file?.fileId === file);
    assert.ok(original !== undefined);
    await node.must(ada, 'messagesDeleteMessage', { chatRef: general, messageIds: [original.messageId] });
    await bot.must('messagesEditMessage', { chatRef: general, messageId, message: 'Tea?' });
    await dayLater();
    assert.equal(shown((await found())?.botInfo?.cloak?.photo).fileId, file);
    assert.ok(typeof (await photoBytes(bob, file)) !== 'string');
    assert.equal(await photoBytes(dora, file), 'FILE_NOT_FOUND', 'somebody reads it who does not see the message');
    await bot.must('messagesDeleteMessage', { chatRef: general, messageIds: [messageId] });
    assert.equal(await photoBytes(bob, file), 'FILE_NOT_FOUND');
    await dayLater();
    assert.deepEqual(await blobsOf(file), []);
    await bot.close();
  });
});
