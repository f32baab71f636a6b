import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { MediaRefInit } from '../../../../src/gen/media.js';
import type { FileId, MessageId } from '../../../../src/kernel/ids.js';
import { permission } from '../../../../src/kernel/permissions.js';
import { ada, bob, cleo, community, dora, dm, general, hidden, self, voice } from '../../../support/house/cast.js';
import { house, type House } from '../../../support/house/house.js';
import type { Node } from '../../../support/house/node.js';
import { attach, bytesOf, filesOf, refTo, sentFile, upload, whole } from '../../files/filing.js';

let here: House;
let node: Node;
before(async () => {
  here = await house();
  node = await here.node();
});
after(() => here.close());

const messageIn = async (messageId: MessageId, chatRef = general, user = bob) => {
  const { messages } = await node.must(user, 'messagesGetHistory', { chatRef, around: messageId, limit: 1 });
  return messages.messages.find((one) => one.messageId === messageId);
};
type Editing = Parameters<typeof node.ask<'messagesEditMessage'>>[2];
const edit = async (messageId: MessageId, request: Editing): Promise<string> => {
  const answer = await node.ask(bob, 'messagesEditMessage', { chatRef: general, messageId, ...request });
  return 'rejected' in answer ? answer.rejected : 'done';
};
const attachedNow = async (messageId: MessageId) => {
  const found = await messageIn(messageId);
  return [found?.message, (found?.media ?? []).map(({ file, embed }) => file?.file?.fileId ?? embed?.url)] as const;
};

describe('a message with something attached', () => {
  it('shows all of it, in its order, in the update and in history', async () => {
    const [one, two] = [await upload(node, bob, bytesOf(70)), await upload(node, bob, bytesOf(5), bytesOf(6))];
    await node.connect(ada);
    const media: readonly MediaRefInit[] = [
      refTo(two, 2, {
        mimetype: 'video/mp4',
        filename: '写真.png',
        metadata: { video: { width: 40, height: 20, duration: 9 } },
      }),
      { embed: { url: 'https://a.example/x' } },
      refTo(one),
    ];
    const messageId = await node.send(bob, { chatRef: general, media });
    const told = node.heard(ada).flatMap(({ messageCreated }) => messageCreated?.message ?? []);
    const found = await messageIn(messageId);
    assert.deepEqual(told[0]?.media, found?.media);
    const [first, second, third] = found?.media ?? [];
    const { fileId: _, ...shown } = first?.file?.file ?? {};
    assert.deepEqual(shown, {
      region: 1,
      size: 11n,
      mimetype: 'video/mp4',
      filename: '写真.png',
      metadata: { video: { width: 40, height: 20, duration: 9 } },
    });
    assert.equal(second?.embed?.url, 'https://a.example/x');
    assert.deepEqual(
      [third?.file?.file?.size, third?.file?.file?.filename, third?.file?.file?.mimetype, third?.file?.file?.metadata],
      [70n, 'a.bin', 'application/octet-stream', { file: {} }],
    );
    await node.disconnect(ada);
  });

  it('needs no text, and takes ten things and no more', async () => {
    const uploadId = await upload(node, bob, bytesOf(3));
    const ten = Array.from({ length: 10 }, () => refTo(uploadId));
    const messageId = await node.send(bob, { chatRef: general, media: ten });
    assert.equal((await messageIn(messageId))?.media.length, 10);
    const request = { chatRef: general, media: [...ten, refTo(uploadId)] };
    assert.equal(await node.refused(bob, 'messagesSendMessage', request), 'TOO_MANY');
  });

  it('takes every kind of metadata as it comes, but that of pictures for what is none', async () => {
    const uploadId = await upload(node, bob, bytesOf(3));
    const kinds = [
      { video: { width: 1, height: 2, duration: 3 } },
      { audio: { duration: 4_294_967_295 } },
      { file: {} },
      { customEmoji: { width: 0, height: 0, emoji: 'tada', pack: { id: 7n as never }, animated: false } },
      { image: { width: 1, height: 1, animated: false } },
    ];
    const media = kinds.map((metadata) => refTo(uploadId, 1, { metadata }));
    const messageId = await node.send(bob, { chatRef: general, media });
    const found = (await messageIn(messageId))?.media.map(({ file }) => file?.file?.metadata);
    assert.deepEqual(found, [...kinds.slice(0, 3), { file: {} }, { file: {} }]);
  });

  it('is refused with names, types, pictures and links that are none, and changes nothing', async () => {
    const uploadId = await upload(node, bob, bytesOf(3));
    const names = ['a/b', '..', '.', 'a\\b', 'a\0b', 'a\nb', 'a\rb', 'a\u202eb', 'a\u2066b', 'a'.repeat(256)];
    const bad: readonly MediaRefInit[] = [
      ...names.map((filename) => refTo(uploadId, 1, { filename })),
      ...names.map((name) => ({ uploaded: { file: { id: uploadId, name, partCount: 1 } } })),
      ...['html', 'a/b\r\nX: y', 'a /b', 'ü/b', `a/${'b'.repeat(127)}`].map((mimetype) =>
        refTo(uploadId, 1, { mimetype }),
      ),
      refTo(uploadId, 1, { metadata: { image: { preview: bytesOf(1_025) } } }),
      refTo(uploadId, 1, { metadata: { customEmoji: { emoji: 'e'.repeat(65) } } }),
      { uploaded: {} },
      {},
      ...['', 'javascript:alert(1)', 'mailto:a@b.c', 'https://'.padEnd(2_100, 'a')].map((url) => ({ embed: { url } })),
    ];
    const end = await here.log.end();
    for (const one of bad) {
      const request = { chatRef: general, message: 'text', media: [one] };
      assert.equal(
        await node.refused(bob, 'messagesSendMessage', request),
        'INVALID_ARGUMENT',
        JSON.stringify(one.embed),
      );
    }
    assert.equal(await here.log.end(), end);
    for (const filename of ['a"b;c', '.bashrc', 'a..b', 'x'.repeat(255), '한😀'] as const) {
      await node.send(bob, { chatRef: general, media: [refTo(uploadId, 1, { filename })] });
    }
  });

  it('makes no file for a message that is not the own one, or was never there', async () => {
    const uploadId = await upload(node, bob, bytesOf(3));
    const messageId = await node.send(ada, { chatRef: general, message: 'mine' });
    const end = await here.log.end();
    for (const one of [messageId, 1n as MessageId]) {
      const edit = { chatRef: general, messageId: one, message: 'yours', media: [refTo(uploadId)] };
      assert.ok(await node.refused(bob, 'messagesEditMessage', edit));
    }
    assert.equal(await here.log.end(), end);
  });

  it('needs the right to attach, at the append as well', async () => {
    const override = (neg: bigint) =>
      here.happened('community-100', {
        type: 'OverrideSet',
        data: { community, channel: voice.channel?.channelId, role: 0n, pos: 0n, neg, by: ada },
      });
    const uploadId = await upload(node, bob, bytesOf(3));
    await override(permission.sendMedia);
    const request = { chatRef: voice, message: 'see', media: [refTo(uploadId)] };
    assert.equal(await node.refused(bob, 'messagesSendMessage', request), 'MISSING_PERMISSION');
    const link = { chatRef: voice, media: [{ embed: { url: 'https://a.example' } }] };
    assert.equal(await node.refused(bob, 'messagesSendMessage', link), 'MISSING_PERMISSION');
    await node.send(bob, { chatRef: voice, message: 'text alone' });
    await override(0n);
    let losing: Promise<void> | undefined;
    const blobs = {
      ...here.blobs,
      list: async (...asked: Parameters<typeof here.blobs.list>) => {
        await (losing ??= override(permission.sendMedia));
        return here.blobs.list(...asked);
      },
    };
    const elsewhere = await here.node({ blobs });
    assert.equal(await elsewhere.refused(bob, 'messagesSendMessage', request), 'MISSING_PERMISSION');
    await elsewhere.close();
    await override(0n);
  });

  it('that is sent again under its nonce is there once, also on another node', async () => {
    const uploadId = await upload(node, bob, bytesOf(3));
    const request = { chatRef: general, clientId: 77n, media: [refTo(uploadId)] };
    const messageId = await node.send(bob, request);
    assert.equal(await node.send(bob, request), messageId);
    const elsewhere = await here.node();
    assert.equal(await elsewhere.send(bob, request), messageId);
    await elsewhere.close();
    const other = { ...request, media: [refTo(uploadId, 1, { filename: 'other' })] };
    assert.notEqual(await node.send(bob, other), messageId);
  });
});

describe('an edit of what is attached', () => {
  const twoFiles = async () => {
    const uploads = [await upload(node, bob, bytesOf(3)), await upload(node, bob, bytesOf(4))] as const;
    const { messageId, files } = await attach(node, bob, general, [refTo(uploads[0])]);
    return { messageId, file: files[0] as FileId, other: uploads[1], upload: uploads[0] };
  };

  it('of the text keeps it', async () => {
    const { messageId, file } = await twoFiles();
    assert.equal(await edit(messageId, { message: 'a text' }), 'done');
    assert.deepEqual(await attachedNow(messageId), ['a text', [file]]);
    assert.equal(await edit(messageId, { message: '' }), 'done');
    assert.deepEqual(await attachedNow(messageId), ['', [file]]);
    assert.deepEqual(await whole(node, ada, file), Buffer.from(bytesOf(3)));
  });

  it('replaces it, also when sent twice, and the former file is nobody’s', async () => {
    const { messageId, file, other } = await twoFiles();
    await node.connect(ada);
    for (let times = 0; times < 2; times += 1) {
      assert.equal(await edit(messageId, { media: [refTo(other)], removeMedia: times === 1 }), 'done');
    }
    const told = node.heard(ada).flatMap(({ message }) => message?.message ?? []);
    const [, [replaced]] = await attachedNow(messageId);
    assert.notEqual(replaced, file);
    assert.deepEqual(
      told.map(({ media }) => media.map((one) => one.file?.file?.fileId)),
      [[replaced]],
    );
    assert.equal(await whole(node, ada, file), 'FILE_NOT_FOUND');
    assert.deepEqual(await whole(node, ada, replaced as FileId), Buffer.from(bytesOf(4)));
    await node.disconnect(ada);
  });

  it('removes it where a text is left, and not where nothing is', async () => {
    const { messageId, file } = await twoFiles();
    assert.equal(await edit(messageId, { removeMedia: true }), 'EMPTY_MESSAGE');
    assert.equal(await edit(messageId, { removeMedia: true, message: ' ' }), 'EMPTY_MESSAGE');
    assert.deepEqual(await attachedNow(messageId), ['', [file]]);
    assert.equal(await edit(messageId, { removeMedia: true, message: 'a text' }), 'done');
    assert.deepEqual(await attachedNow(messageId), ['a text', []]);
    assert.equal(await edit(messageId, { message: 'another' }), 'done');
    assert.deepEqual(await attachedNow(messageId), ['another', []]);
    assert.equal(await whole(node, ada, file), 'FILE_NOT_FOUND');
  });

  it('to what is there already is none', async () => {
    const { messageId, upload: same } = await twoFiles();
    await edit(messageId, { message: 'text' });
    const before = await messageIn(messageId);
    await node.connect(ada);
    here.clock.at += 60_000;
    for (const request of [{ message: 'text' }, { media: [refTo(same)] }, { message: 'text', media: [refTo(same)] }]) {
      assert.equal(await edit(messageId, request), 'done');
    }
    assert.deepEqual(await messageIn(messageId), before);
    assert.deepEqual(node.heard(ada), []);
    await node.disconnect(ada);
  });

  it('keeps mentions and entities that it does not name', async () => {
    const uploadId = await upload(node, bob, bytesOf(3));
    const entities = [{ startIndex: 0, length: 2, userMention: {} }];
    const messageId = await node.send(bob, { chatRef: general, message: '@3 see', entities });
    assert.equal(await edit(messageId, { media: [refTo(uploadId)] }), 'done');
    const found = await messageIn(messageId);
    assert.deepEqual([found?.message, found?.entities, found?.media.length], ['@3 see', entities, 1]);
  });

  it('of somebody else’s message makes no file of it', async () => {
    const { messageId } = await twoFiles();
    const uploadId = await upload(node, ada, bytesOf(3));
    const request = { chatRef: general, messageId, media: [refTo(uploadId)] };
    assert.equal(await node.refused(ada, 'messagesEditMessage', request), 'NOT_AUTHOR');
    assert.equal(await edit(messageId, { media: [refTo(12_345n)] }), 'INVALID_UPLOAD');
  });
});

describe('a forward of what is attached', () => {
  it('has it as long as one of both is there, for those who see that one', async () => {
    const { messageId, file } = await sentFile(node, ada, hidden, bytesOf(8));
    assert.equal(await whole(node, bob, file), 'FILE_NOT_FOUND');
    await node.must(ada, 'messagesForwardMessage', { chatRef: general, from: hidden, messageIds: [messageId] });
    assert.deepEqual(await whole(node, bob, file), Buffer.from(bytesOf(8)));
    await node.must(ada, 'messagesDeleteMessage', { chatRef: hidden, messageIds: [messageId] });
    assert.deepEqual(await whole(node, bob, file), Buffer.from(bytesOf(8)));
    const { messages } = await node.must(bob, 'messagesGetHistory', { chatRef: general, limit: 1 });
    const copy = messages.messages[0]?.messageId as MessageId;
    assert.deepEqual(await filesOf(node, bob, general, copy), [file]);
    await node.must(ada, 'messagesDeleteMessage', { chatRef: general, messageIds: [copy] });
    assert.equal(await whole(node, bob, file), 'FILE_NOT_FOUND');
    assert.equal(await whole(node, ada, file), 'FILE_NOT_FOUND');
  });

  it('of another’s file stays readable without the first chat, and not without its author', async () => {
    const { messageId, file } = await sentFile(node, cleo, dm(ada), bytesOf(8));
    await node.must(ada, 'messagesForwardMessage', { chatRef: self, from: dm(cleo), messageIds: [messageId] });
    await node.must(ada, 'messagesForwardMessage', { chatRef: dm(dora), from: dm(cleo), messageIds: [messageId] });
    assert.deepEqual(await whole(node, dora, file), Buffer.from(bytesOf(8)));
    here.sealer.shred('dm.1.3');
    assert.deepEqual(await whole(node, dora, file), Buffer.from(bytesOf(8)));
    assert.equal(await whole(node, cleo, file), 'FILE_NOT_FOUND');
    here.sealer.shred(cleo.toString());
    assert.equal(await whole(node, dora, file), 'FILE_NOT_FOUND');
  });
});
