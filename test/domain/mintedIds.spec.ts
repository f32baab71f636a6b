import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventKinds } from '../../src/domain/registry.js';
import { mintedIds } from '../../src/domain/mintedIds.js';
import { storedType } from '../../src/kernel/codec.js';
import type { Millis } from '../../src/kernel/ids.js';

const minted = (type: string, stream: string, data: string): readonly bigint[] =>
  mintedIds({
    id: '',
    type,
    stream,
    data: Buffer.from(data),
    metadata: Buffer.from('{}'),
    revision: 0n,
    position: 1n,
    at: 0 as Millis,
  });

it('the ids that an event brings into the world are found in its stream or body', () => {
  const found = [
    minted('accounts.AccountRegistered.v1', 'account-11', '{"user":"11"}'),
    minted('accounts.SessionOpened.v1', 'account-11', '{"user":"11","session":"12"}'),
    minted('communities.CommunityCreated.v1', 'community-13', '{"community":"13","owner":"11"}'),
    minted('communities.ChannelCreated.v1', 'community-13', '{"community":"13","channel":"14"}'),
    minted('communities.RoleCreated.v1', 'community-13', '{"community":"13","role":"15"}'),
    minted('messages.MessageSent.v1', 'message-16', '{"message":"16","replyTo":"99","nonce":"18446744073709551615"}'),
    minted('messages.MessageForwarded.v1', 'message-17', '{"message":"17","original":"16","author":"11"}'),
    minted('files.UploadBegun.v1', 'upload-12.1', '{"file":"18","session":"12","upload":"1","user":"11"}'),
    minted('bots.BotCreated.v1', 'bots-11', '{"bot":"19","owner":"11","bots":["19"]}'),
  ];
  assert.deepEqual(found.flat(), [11n, 12n, 13n, 14n, 15n, 16n, 17n, 18n, 19n]);
});

it('an event that only names ids brings none', () => {
  const minting = new Set([
    'AccountRegistered',
    'SessionOpened',
    'CommunityCreated',
    'ChannelCreated',
    'RoleCreated',
    'MessageSent',
    'MessageForwarded',
    'MemberAnnounced',
  ]);
  const others = eventKinds.filter(({ type }) => !minting.has(type));
  assert.ok(others.length > 20);
  for (const kind of others) {
    assert.deepEqual(minted(storedType(kind), 'message-16', '{"channel":"14","session":"12"}'), []);
  }
});

it('an event that cannot be read brings none', () => {
  for (const data of ['', '{', 'null', '[]', '{"session":7}', '{"session":"x"}']) {
    assert.deepEqual(minted('accounts.SessionOpened.v1', 'account-11', data), []);
  }
  assert.deepEqual(minted('messages.MessageSent.v1', 'message-', '{}'), []);
});
