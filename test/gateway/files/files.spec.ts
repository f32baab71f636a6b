import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { filesAdmin } from '../../../src/container/files.js';
import { of } from '../../../src/container/tokens.js';
import { uploadStream } from '../../../src/domain/files/events.js';
import { answeredBytesMax } from '../../../src/gateway/files/reading.js';
import {
  snowflakeOf,
  type ChannelId,
  type CommunityId,
  type FileId,
  type MessageId,
  type Millis,
  type SessionId,
} from '../../../src/kernel/ids.js';
import { permission, usualPermissions } from '../../../src/kernel/permissions.js';
import { ada, bob, cleo, community, dm, dora, general, hidden, joined, self } from '../../support/house/cast.js';
import { house, type House } from '../../support/house/house.js';
import { sessionOf, type Node } from '../../support/house/node.js';
import {
  attach,
  bytesOf,
  download,
  filesOf,
  freshUpload,
  hourMillis,
  minuteMillis,
  refTo,
  sentFile,
  storedNames,
  sweep,
  upload,
  whole,
} from './filing.js';

let here: House;
let node: Node;
before(async () => {
  here = await house();
  node = await here.node();
});
after(() => here.close());

const one = Uint8Array.of(1);
const mebibyte = 1_048_576;

describe('an upload', () => {
  it('is put together in the order of its numbers, however its parts came', async () => {
    const uploadId = freshUpload();
    for (const part of [7, 0, 11, 3, 10, 1, 9, 4, 2, 8, 6, 5]) {
      await node.must(bob, 'mediaUploadFilePart', { uploadId, part, data: Uint8Array.of(part) });
    }
    const { files } = await attach(node, bob, general, [refTo(uploadId, 12)]);
    assert.deepEqual(await whole(node, bob, files[0] as FileId), Buffer.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]));
  });

  it('of 1,001 parts is whole', async () => {
    const uploadId = freshUpload();
    const parts = Array.from({ length: 1_001 }, (_, part) => part).toReversed();
    await Promise.all(
      parts.map((part) => node.askOnly(bob, 'mediaUploadFilePart', { uploadId, part, data: bytesOf(1, part) })),
    );
    const { files } = await attach(node, bob, general, [refTo(uploadId, 1_001)]);
    const expected = Buffer.from(parts.toReversed().map((part) => part % 256));
    assert.deepEqual(await whole(node, bob, files[0] as FileId), expected);
  });

  it('has bounds, which the refusal names', async () => {
    const asked = async (part: number, data: Uint8Array) => {
      const answer = await node.ask(bob, 'mediaUploadFilePart', { uploadId: freshUpload(), part, data });
      return 'rejected' in answer ? `${answer.rejected} ${answer.detail ?? ''}` : 'done';
    };
    assert.equal(await asked(4_095, one), 'done');
    assert.match(await asked(4_096, one), /^TOO_MANY .*4096/);
    assert.match(await asked(4_294_967_295, one), /^TOO_MANY .*4096/);
    assert.equal(await asked(0, new Uint8Array(mebibyte)), 'done');
    assert.match(await asked(0, new Uint8Array(mebibyte + 1)), /^TOO_LARGE .*1048576/);
    assert.match(await asked(1, new Uint8Array(0)), /^INVALID_ARGUMENT/);
  });

  it('of one empty part is a file of no bytes', async () => {
    const { file, messageId } = await sentFile(node, bob, general, new Uint8Array(0));
    const { messages } = await node.must(ada, 'messagesGetHistory', { chatRef: general, around: messageId, limit: 1 });
    assert.equal(messages.messages[0]?.media[0]?.file?.file?.size, 0n);
    for (const offset of [0n, 1n, 2n ** 64n - 1n]) {
      const answer = await download(node, ada, file, { offset });
      assert.deepEqual(answer, { filePart: { data: new Uint8Array(0) } });
    }
  });

  it('whose part comes again has the later one, until it is a file', async () => {
    const uploadId = freshUpload();
    const send = (data: Uint8Array) => node.ask(bob, 'mediaUploadFilePart', { uploadId, part: 0, data });
    await send(bytesOf(10));
    await send(bytesOf(99, 5));
    const { files } = await attach(node, bob, general, [refTo(uploadId)]);
    assert.deepEqual(await whole(node, bob, files[0] as FileId), Buffer.from(bytesOf(99, 5)));
    const late = await send(bytesOf(10));
    assert.equal('rejected' in late && late.rejected, 'UPLOAD_ENDED');
    assert.deepEqual(await whole(node, bob, files[0] as FileId), Buffer.from(bytesOf(99, 5)));
  });

  it('whose part comes twice at once, on two nodes, has the one or the other whole', async () => {
    const other = await here.node();
    for (let round = 0; round < 3; round += 1) {
      const uploadId = freshUpload();
      const [some, others] = [new Uint8Array(mebibyte).fill(1), new Uint8Array(mebibyte).fill(2)];
      await Promise.all([
        node.ask(bob, 'mediaUploadFilePart', { uploadId, part: 0, data: some }),
        other.ask(bob, 'mediaUploadFilePart', { uploadId, part: 0, data: others }),
      ]);
      const { files } = await attach(round === 0 ? other : node, bob, general, [refTo(uploadId)]);
      const found = await whole(node, bob, files[0] as FileId);
      assert.ok(typeof found !== 'string' && found.equals(found[0] === 1 ? some : others));
    }
    await other.close();
  });

  it('becomes one file, whoever asks at once and however often', async () => {
    const other = await here.node();
    const uploadId = await upload(node, bob, bytesOf(3));
    const sends = [node, other, node, other].map((at) => attach(at, bob, general, [refTo(uploadId)]));
    const files = (await Promise.all(sends)).flatMap((held) => held.files);
    const again = await attach(node, bob, general, [refTo(uploadId), refTo(uploadId)]);
    assert.equal(new Set([...files, ...again.files]).size, 1);
    assert.equal(files.length, 4);
    await other.close();
  });

  it('that is not whole, or not there, becomes no file', async () => {
    const uploadId = freshUpload();
    await node.must(bob, 'mediaUploadFilePart', { uploadId, part: 0, data: one });
    await node.must(bob, 'mediaUploadFilePart', { uploadId, part: 2, data: one });
    const refusal = (id: bigint, partCount: number) =>
      node.refused(bob, 'messagesSendMessage', { chatRef: general, media: [refTo(id, partCount)] });
    assert.equal(await refusal(uploadId, 3), 'INVALID_UPLOAD');
    assert.equal(await refusal(uploadId, 0), 'INVALID_UPLOAD');
    assert.equal(await refusal(uploadId, 4_097), 'TOO_MANY');
    assert.equal(await refusal(uploadId, 4_294_967_295), 'TOO_MANY');
    assert.equal(await refusal(freshUpload(), 1), 'INVALID_UPLOAD');
    // One empty part is a file. Of several parts none is.
    const empty = await upload(node, bob, new Uint8Array(0), one);
    assert.equal(await refusal(empty, 2), 'INVALID_UPLOAD');
    await attach(node, bob, general, [refTo(uploadId, 1)]);
    assert.equal(await refusal(uploadId, 3), 'INVALID_UPLOAD');
  });

  it('is its session’s: others that are called the same are others', async () => {
    const uploadId = freshUpload();
    const another = { user: bob, session: 1n as SessionId };
    await node.must(bob, 'mediaUploadFilePart', { uploadId, part: 0, data: bytesOf(4) });
    for (const stranger of [another, ada]) {
      const request = { chatRef: general, media: [refTo(uploadId)] };
      assert.equal(await node.refused(stranger, 'messagesSendMessage', request), 'INVALID_UPLOAD');
    }
    await node.must(another, 'mediaUploadFilePart', { uploadId, part: 0, data: bytesOf(5, 9) });
    const [own] = (await attach(node, bob, general, [refTo(uploadId)])).files;
    const [theirs] = (await attach(node, another, general, [refTo(uploadId)])).files;
    assert.deepEqual(await whole(node, ada, own as FileId), Buffer.from(bytesOf(4)));
    assert.deepEqual(await whole(node, ada, theirs as FileId), Buffer.from(bytesOf(5, 9)));
  });

  it('goes on where it was after a restart', async () => {
    const uploadId = await upload(node, bob, bytesOf(6));
    const next = await here.node();
    await next.must(bob, 'mediaUploadFilePart', { uploadId, part: 1, data: bytesOf(7, 3) });
    const { files } = await attach(next, bob, general, [refTo(uploadId, 2)]);
    const expected = Buffer.concat([bytesOf(6), bytesOf(7, 3)]);
    assert.deepEqual(await whole(next, ada, files[0] as FileId), expected);
    await next.close();
  });
});

describe('a download', () => {
  it('gives any part, in pieces of 512 KiB at most, and nothing at the end', async () => {
    const parts = [bytesOf(mebibyte), bytesOf(700_000, 3), bytesOf(5, 8)];
    const { file } = await sentFile(node, bob, general, ...parts);
    const expected = Buffer.concat(parts);
    assert.ok(expected.equals((await whole(node, ada, file)) as Buffer));
    const end = BigInt(expected.length);
    for (const offset of [0n, 1n, 524_288n, 1_048_575n, 1_048_576n, 1_748_575n, end - 5n, end - 1n, end, end + 1n]) {
      for (const length of [0, 1, 2, answeredBytesMax, answeredBytesMax + 1, 4_294_967_295]) {
        const answer = await download(node, ada, file, { offset, length });
        const from = Number(offset);
        const to = from + Math.min(length, answeredBytesMax);
        assert.ok(
          'filePart' in answer && expected.subarray(from, to).equals(answer.filePart.data),
          `${offset.toString()} ${length.toString()}`,
        );
      }
    }
    assert.deepEqual(await download(node, ada, file, { offset: 2n ** 63n }), { filePart: { data: new Uint8Array(0) } });
  });

  it('is for those who see a chat that has the file, as of now, and refused alike to all others', async () => {
    const unknown = await download(node, ada, 5n as FileId);
    const [secret, saved, direct] = [
      await sentFile(node, ada, hidden, bytesOf(3)),
      await sentFile(node, ada, self, bytesOf(3)),
      await sentFile(node, ada, dm(bob), bytesOf(3)),
    ];
    for (const { file } of [secret, saved, direct]) {
      assert.deepEqual(await whole(node, ada, file), Buffer.from(bytesOf(3)));
      for (const user of [cleo, dora]) assert.deepEqual(await download(node, user, file), unknown);
    }
    assert.deepEqual(await download(node, bob, secret.file), unknown);
    assert.deepEqual(await download(node, bob, saved.file), unknown);
    assert.deepEqual(await whole(node, bob, direct.file), Buffer.from(bytesOf(3)));
    for (const fileRef of [{ chatPhoto: { fileId: secret.file } }, { chatPhoto: { fileId: 5n as FileId } }]) {
      assert.deepEqual(await node.ask(bob, 'mediaDownloadFilePart', { fileRef, length: 1 }), unknown);
    }
    assert.equal(await node.refused(ada, 'mediaDownloadFilePart', { length: 1 }), 'INVALID_ARGUMENT');
  });

  it('ends with the sight of the chat, and comes back with it', async () => {
    const { file } = await sentFile(node, ada, general, bytesOf(3));
    const sight = (neg: bigint) =>
      here.happened('community-100', {
        type: 'OverrideSet',
        data: { community, channel: general.channel?.channelId, role: 0n, pos: 0n, neg, by: ada },
      });
    assert.deepEqual(await whole(node, bob, file), Buffer.from(bytesOf(3)));
    await sight(permission.viewChannel);
    assert.equal(await whole(node, bob, file), 'FILE_NOT_FOUND');
    await sight(0n);
    assert.deepEqual(await whole(node, bob, file), Buffer.from(bytesOf(3)));
    await here.happened('member-100.2', { type: 'MemberLeft', data: { community, user: bob } });
    assert.equal(await whole(node, bob, file), 'FILE_NOT_FOUND');
    await here.happened('member-100.2', { ...joined(bob), data: { community, user: bob, via: 'invite', joining: 2 } });
  });

  it('of a file in many chats is for those who see one of them', async () => {
    const uploadId = await upload(node, ada, bytesOf(3));
    const [file] = (await attach(node, ada, hidden, [refTo(uploadId)])).files;
    await attach(node, ada, self, [refTo(uploadId)]);
    assert.equal(await whole(node, bob, file as FileId), 'FILE_NOT_FOUND');
    const { messageId } = await attach(node, ada, general, [refTo(uploadId)]);
    assert.deepEqual(await whole(node, bob, file as FileId), Buffer.from(bytesOf(3)));
    await node.must(ada, 'messagesDeleteMessage', { chatRef: general, messageIds: [messageId] });
    assert.equal(await whole(node, bob, file as FileId), 'FILE_NOT_FOUND');
    assert.deepEqual(await whole(node, ada, file as FileId), Buffer.from(bytesOf(3)));
  });

  it('says nothing of a file that was tampered with in the store', async () => {
    const other = await sentFile(node, bob, general, bytesOf(100, 9));
    const [parts, before] = [[bytesOf(100), bytesOf(100, 5)], await storedNames(here.blobs)];
    const { file } = await sentFile(node, bob, general, ...parts);
    const [first = '', second = ''] = (await storedNames(here.blobs)).filter((name) => !before.includes(name));
    const [foreign = ''] = before.filter((name) => name.includes(other.file.toString()));
    const contents = async (name: string) => (await here.blobs.get(name)) ?? assert.fail(name);
    const [one, two] = [await contents(first), await contents(second)];
    const flipped = Uint8Array.from(one, (byte, at) => (at === 40 ? byte ^ 1 : byte));
    const tampering = [two, await contents(foreign), one.slice(0, -1), flipped, new Uint8Array(0)];
    for (const bytes of tampering) {
      await here.blobs.put(first, bytes);
      const answer = await download(node, ada, file, { length: 150 });
      assert.equal('rejected' in answer && answer.rejected, 'FILE_DAMAGED');
    }
    await here.blobs.put(first, one);
    await here.blobs.remove([second]);
    const answer = await download(node, ada, file, { length: 150 });
    assert.equal('rejected' in answer && answer.rejected, 'FILE_DAMAGED');
    assert.equal(node.troubles.splice(0).length, tampering.length + 1);
  });
});

describe('files that nothing uses', () => {
  const pass = (millis: number): void => {
    here.clock.at += millis;
  };

  it('of uploads that became none are gone within two hours, and take no more parts after one', async () => {
    const before = await storedNames(here.blobs);
    const uploadId = await upload(node, bob, bytesOf(3), bytesOf(4));
    pass(hourMillis - minuteMillis);
    await node.must(bob, 'mediaUploadFilePart', { uploadId, part: 2, data: one });
    pass(minuteMillis);
    assert.equal(await node.refused(bob, 'mediaUploadFilePart', { uploadId, part: 3, data: one }), 'UPLOAD_ENDED');
    const request = { chatRef: general, media: [refTo(uploadId, 3)] };
    assert.equal(await node.refused(bob, 'messagesSendMessage', request), 'INVALID_UPLOAD');
    for (let passed = 0; passed < hourMillis; passed += 5 * minuteMillis) {
      pass(5 * minuteMillis);
      await sweep(here, node);
    }
    assert.deepEqual(
      (await storedNames(here.blobs)).filter((name) => !before.includes(name)),
      [],
    );
    assert.equal(await node.refused(bob, 'mediaUploadFilePart', { uploadId, part: 3, data: one }), 'UPLOAD_ENDED');
  });

  it('stay while one message has them, are not found from the last deletion on, and gone within a day', async () => {
    const before = await storedNames(here.blobs);
    const uploadId = await upload(node, ada, bytesOf(3));
    const [one, two] = [
      await attach(node, ada, general, [refTo(uploadId)]),
      await attach(node, ada, hidden, [refTo(uploadId)]),
    ];
    const file = one.files[0] as FileId;
    await node.must(ada, 'messagesForwardMessage', { chatRef: self, from: hidden, messageIds: [two.messageId] });
    const { messages } = await node.must(ada, 'messagesGetHistory', { chatRef: self, limit: 1 });
    const forward = messages.messages[0]?.messageId as MessageId;
    const remove = (chatRef: typeof general, messageId: MessageId) =>
      node.must(ada, 'messagesDeleteMessage', { chatRef, messageIds: [messageId] });
    await remove(general, one.messageId);
    pass(25 * hourMillis);
    for (let times = 0; times < 2; times += 1) await sweep(here, node);
    assert.deepEqual(await whole(node, ada, file), Buffer.from(bytesOf(3)));
    await remove(hidden, two.messageId);
    pass(25 * hourMillis);
    for (let times = 0; times < 2; times += 1) await sweep(here, node);
    assert.deepEqual(await whole(node, ada, file), Buffer.from(bytesOf(3)));
    await remove(self, forward);
    assert.equal(await whole(node, ada, file), 'FILE_NOT_FOUND');
    const left = async () => (await storedNames(here.blobs)).filter((name) => !before.includes(name));
    await sweep(here, node);
    assert.equal((await left()).length, 1);
    pass(hourMillis + minuteMillis);
    await sweep(here, node);
    pass(hourMillis + minuteMillis);
    await sweep(here, node);
    assert.deepEqual(await left(), []);
  });

  it('are kept in the store while a backup is made, however long that takes', async () => {
    const { file, messageId } = await sentFile(node, bob, general, bytesOf(3));
    const stored = async () => (await here.blobs.list(`files/${file.toString()}/`, { limit: 9 })).length;
    await node.get(of.fileRemovals).heldWhile(async () => {
      await node.must(bob, 'messagesDeleteMessage', { chatRef: general, messageIds: [messageId] });
      for (let times = 0; times < 5; times += 1) {
        pass(hourMillis + minuteMillis);
        await sweep(here, node);
      }
      assert.equal(await stored(), 1);
    });
    await sweep(here, node);
    assert.equal(await stored(), 0);
  });

  it('are kept for an hour from the last time that they were about to be used', async () => {
    const uploadId = await upload(node, bob, bytesOf(3));
    const first = await attach(node, bob, general, [refTo(uploadId)]);
    await node.must(bob, 'messagesDeleteMessage', { chatRef: general, messageIds: [first.messageId] });
    pass(50 * minuteMillis);
    const second = await attach(node, bob, general, [refTo(uploadId)]);
    await node.must(bob, 'messagesDeleteMessage', { chatRef: general, messageIds: [second.messageId] });
    pass(50 * minuteMillis);
    await sweep(here, node);
    const file = second.files[0] as FileId;
    const prefix = `files/${file.toString()}/`;
    assert.equal((await here.blobs.list(prefix, { limit: 9 })).length, 1);
    assert.deepEqual(second.files, first.files);
    pass(11 * minuteMillis);
    await sweep(here, node);
    pass(hourMillis + minuteMillis);
    await sweep(here, node);
    assert.deepEqual(await here.blobs.list(prefix, { limit: 9 }), []);
  });

  it('are kept while a message that will have them is on its way', async () => {
    const uploadId = await upload(node, bob, bytesOf(3));
    const first = await attach(node, bob, general, [refTo(uploadId)]);
    await node.must(bob, 'messagesDeleteMessage', { chatRef: general, messageIds: [first.messageId] });
    pass(59 * minuteMillis);
    let swept: Promise<void> | undefined;
    const append: typeof here.log.append = async (stream, ...rest) => {
      const late = async (): Promise<void> => {
        pass(2 * minuteMillis);
        await sweep(here, node);
      };
      if (stream.startsWith('message-')) await (swept ??= late());
      return here.log.append(stream, ...rest);
    };
    const elsewhere = await here.node({ log: { ...here.log, append } });
    const { files } = await attach(elsewhere, bob, general, [refTo(uploadId)]);
    assert.ok(swept !== undefined);
    assert.deepEqual(files, first.files);
    assert.deepEqual(await whole(node, ada, files[0] as FileId), Buffer.from(bytesOf(3)));
    pass(2 * hourMillis);
    for (let times = 0; times < 2; times += 1) await sweep(here, node);
    assert.deepEqual(await whole(node, ada, files[0] as FileId), Buffer.from(bytesOf(3)));
    await elsewhere.close();
  });

  it('are those of an edit that took them away', async () => {
    const before = await storedNames(here.blobs);
    const { messageId } = await sentFile(node, bob, general, bytesOf(3));
    const other = await upload(node, bob, bytesOf(4));
    const edit = { chatRef: general, messageId };
    await node.must(bob, 'messagesEditMessage', { ...edit, media: [refTo(other)] });
    const left = async () => (await storedNames(here.blobs)).filter((name) => !before.includes(name)).length;
    const later = async () => {
      for (let times = 0; times < 3; times += 1) {
        pass(hourMillis + minuteMillis);
        await sweep(here, node);
      }
      return left();
    };
    assert.deepEqual([await left(), await later()], [2, 1]);
    await node.must(bob, 'messagesEditMessage', { ...edit, message: 'a text', removeMedia: true });
    assert.equal(await later(), 0);
  });

  it('are those of a channel or a community that was deleted: not found at once, and gone within a day', async () => {
    const channel = 900n as ChannelId;
    const place = { channel: { communityId: community, channelId: channel } };
    const about = { community, channel, by: ada };
    await here.happened('community-100', {
      type: 'ChannelCreated',
      data: { ...about, kind: 'text', position: 0, name: 'a channel' },
    });
    const before = await storedNames(here.blobs);
    const uploadId = await upload(node, bob, bytesOf(3));
    const { files: kept, messageId } = await attach(node, bob, general, [refTo(uploadId)]);
    await attach(node, bob, place, [refTo(uploadId)]);
    const lost: FileId[] = [];
    for (let times = 0; times < 3; times += 1) lost.push((await sentFile(node, bob, place, bytesOf(5))).file);
    const day = async (): Promise<number> => {
      for (let times = 0; times < 4; times += 1) {
        pass(hourMillis + minuteMillis);
        await sweep(here, node);
      }
      return (await storedNames(here.blobs)).filter((name) => !before.includes(name)).length;
    };
    assert.equal(await day(), 4);
    await node.must(ada, 'communitiesDeleteChannel', { channel: place.channel });
    for (const file of lost) assert.equal(await whole(node, bob, file), 'FILE_NOT_FOUND');
    assert.equal(await day(), 1);
    assert.deepEqual(await whole(node, bob, kept[0] as FileId), Buffer.from(bytesOf(3)));
    await node.must(bob, 'messagesDeleteMessage', { chatRef: general, messageIds: [messageId] });
    const short = 300n as CommunityId;
    const general300 = { channel: { communityId: short, channelId: 301n as ChannelId } };
    await here.happened(
      'community-300',
      {
        type: 'CommunityCreated',
        data: { community: short, owner: ada, defaultPermissions: usualPermissions, name: 'Short' },
      },
      {
        type: 'ChannelCreated',
        data: { ...about, ...{ community: short, channel: 301n }, kind: 'text', position: 0, name: 'a channel' },
      },
    );
    await here.happened('member-300.1', {
      type: 'MemberJoined',
      data: { community: short, user: ada, via: 'founding', joining: 1 },
    });
    const { file: theirs } = await sentFile(node, ada, general300, bytesOf(5));
    assert.equal(await day(), 1);
    await node.must(ada, 'communitiesDeleteCommunity', { communityId: short });
    assert.equal(await whole(node, ada, theirs), 'FILE_NOT_FOUND');
    assert.equal(await day(), 0);
  });

  it('are counted apart from those that are used, from uploads, and from blobs that belong to nothing', async () => {
    const { stats, sweep: sweepNow } = filesAdmin(node.get);
    const call = { progress: () => undefined, signal: new AbortController().signal };
    const before = await stats(call);
    const since = async () => {
      const after = await stats(call);
      return Object.entries(after).map(([kind, counts]) => {
        const { files, parts } = before[kind as keyof typeof before];
        return `${kind} ${(counts.files - files).toString()}/${(counts.parts - parts).toString()}`;
      });
    };
    await sentFile(node, bob, general, bytesOf(3), bytesOf(3));
    const { messageId } = await sentFile(node, bob, general, bytesOf(3));
    await node.must(bob, 'messagesDeleteMessage', { chatRef: general, messageIds: [messageId] });
    await upload(node, bob, bytesOf(3));
    const stray = `files/${snowflakeOf({ at: 5 as Millis, node: 1, counter: 0 }).toString()}/0000.00000000`;
    await here.blobs.put(stray, bytesOf(3));
    assert.deepEqual(await since(), ['stored 4/5', 'used 1/2', 'unused 1/1', 'underWay 1/1', 'orphaned 1/1']);
    for (let times = 0; times < 3; times += 1) {
      pass(hourMillis + minuteMillis);
      assert.equal((await sweepNow(call)).failed, 0);
      await here.settled();
    }
    const left = await since();
    assert.ok(left.includes('unused 0/0') && left.includes('used 1/2') && left.includes('orphaned 1/1'), left.join());
    await here.blobs.remove([stray]);
  });

  it('leave no parts that were sent again', async () => {
    const uploadId = freshUpload();
    for (const first of [1, 2, 3]) {
      await node.must(bob, 'mediaUploadFilePart', { uploadId, part: 0, data: bytesOf(9, first) });
    }
    const { files } = await attach(node, bob, general, [refTo(uploadId)]);
    const prefix = `files/${String(files[0])}/`;
    assert.equal((await here.blobs.list(prefix, { limit: 9 })).length, 3);
    pass(hourMillis + 11 * minuteMillis);
    await sweep(here, node);
    assert.equal((await here.blobs.list(prefix, { limit: 9 })).length, 1);
    assert.deepEqual(await whole(node, ada, files[0] as FileId), Buffer.from(bytesOf(9, 3)));
  });

  it('leave the log no need of their keys once the upload has ended', async () => {
    const uploadId = await upload(node, bob, bytesOf(3));
    await attach(node, bob, general, [refTo(uploadId)]);
    pass(hourMillis + 11 * minuteMillis);
    await sweep(here, node);
    const stream = uploadStream({ session: sessionOf(bob).session, upload: uploadId });
    const types = (await here.log.readStream(stream, { limit: 9 })).map(({ type }) => type);
    assert.deepEqual([types, await here.log.maxCountOf(stream)], [['files.UploadEnded.v1'], 1]);
  });
});

describe('what is in the store', () => {
  it('says nothing of what it is: neither names nor sizes tell the same bytes of two users apart', async () => {
    const before = await storedNames(here.blobs);
    const [mine, theirs] = [
      await sentFile(node, ada, general, bytesOf(64)),
      await sentFile(node, bob, general, bytesOf(64)),
    ];
    assert.notEqual(mine.file, theirs.file);
    const names = (await storedNames(here.blobs)).filter((name) => !before.includes(name));
    const stored = await Promise.all(names.map(async (name) => Buffer.from((await here.blobs.get(name)) ?? [])));
    assert.equal(stored.length, 2);
    assert.equal(stored[0]?.length, stored[1]?.length);
    assert.ok(!stored[0]?.equals(stored[1] ?? Buffer.alloc(0)));
    for (const bytes of stored) assert.ok(!bytes.includes(Buffer.from(bytesOf(64)).subarray(0, 16)));
  });

  it('cannot be read once the keys of the author are destroyed', async () => {
    const { file, messageId } = await sentFile(node, cleo, general, bytesOf(9));
    here.sealer.shred(cleo.toString());
    assert.equal(await whole(node, ada, file), 'FILE_NOT_FOUND');
    assert.deepEqual(await filesOf(node, ada, general, messageId), []);
  });
});
