import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { affectsPermissions, eventKinds } from '../../src/domain/registry.js';
import { eventCodec, readEvent, storedType } from '../../src/kernel/codec.js';
import type { EventKind } from '../../src/kernel/declareEvents.js';
import { forRunner } from '../../src/kernel/document.js';
import { type Event, type Recorded, beforeAll } from '../../src/kernel/event.js';
import type { Millis } from '../../src/kernel/ids.js';
import type { StoredEvent } from '../../src/kernel/ports/eventLog.js';
import { KeysMissing } from '../../src/kernel/ports/sealer.js';
import { communityDocuments } from '../../src/projections/communities/fold.js';
import { membershipsDocuments } from '../../src/projections/members/fold.js';
import { plainSealer } from '../support/plainSealer.js';
import { eventsPage } from '../support/eventsPage.js';

/**
 * Every kind of event ever written has a sample here, as it was stored then. A sample is never changed: if this test
 * fails for one, the change to the event would make old logs unreadable. `npm run samples` adds those of new kinds.
 */
const folder = 'test/fixtures/events';
const adding = process.env['ADD_SAMPLES'] === 'yes';

type Sample = { readonly data: string; readonly metadata: string };
const place = { id: 'b5f0b2a6-4f0e-5d53-9b0c-0a8f7d5e1c11', stream: 'sample-1' };
const metadata = { $correlationId: 'request', $causationId: 'command', command: 'Sample', actor: '1', session: '2' };

const sealer = plainSealer();
const codec = eventCodec(eventKinds, sealer);

const sampleOf = (kind: EventKind): Event => ({
  type: kind.type,
  data: { ...kind.fields.sample, ...kind.personal?.schema.sample },
});
/** With the fields that were added later. */
const wholeSampleOf = ({ type, fields, personal }: EventKind): Event => ({
  type,
  data: {
    ...(fields.sampleWithAdded ?? fields.sample),
    ...(personal?.schema.sampleWithAdded ?? personal?.schema.sample),
  },
});
const addedTo = (kind: EventKind): readonly string[] =>
  Object.keys(wholeSampleOf(kind).data as object).filter((name) => !(name in (sampleOf(kind).data as object)));
/** `messages.MessageSent.v1+requestHash`: each field that comes makes another file, and the files of before stay. */
const wholeName = (kind: EventKind): string => [storedType(kind), ...addedTo(kind)].join('+');

const written = async (event: Event): Promise<Sample> => {
  const envelope = { ...place, metadata, period: '202601' };
  const first = codec.write(event, envelope);
  if (first instanceof KeysMissing) await sealer.makeKeys(first.names);
  const record = first instanceof KeysMissing ? codec.write(event, envelope) : first;
  assert.ok(!(record instanceof KeysMissing));
  return { data: text(record.data), metadata: text(record.metadata) };
};

const read = async (type: string, sample: Sample): Promise<Recorded | undefined> => {
  const stored: StoredEvent = {
    ...place,
    type,
    data: Buffer.from(sample.data),
    metadata: Buffer.from(sample.metadata),
    revision: 0n,
    position: beforeAll,
    at: 0 as Millis,
  };
  return readEvent(codec, sealer, stored);
};

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const fileOf = (type: string): string => `${folder}/${type}.json`;
const goldenOf = (type: string): Sample => JSON.parse(readFileSync(fileOf(type), 'utf8')) as Sample;

if (adding) {
  mkdirSync(folder, { recursive: true });
  for (const kind of eventKinds) {
    for (const [name, sample] of [
      [storedType(kind), sampleOf(kind)],
      [wholeName(kind), wholeSampleOf(kind)],
    ] as const) {
      if (!existsSync(fileOf(name))) writeFileSync(fileOf(name), `${JSON.stringify(await written(sample), null, 2)}\n`);
    }
  }
  writeFileSync('docs/events.md', eventsPage(eventKinds));
}

/** As every log there is has them. The topics and the scopes stand in the samples. */
const streamsOfSamples: Readonly<Record<string, string>> = {
  AccountRegistered: 'account-123456789012345678',
  EmailKeyAdded: 'account-123456789012345678',
  SessionOpened: 'account-123456789012345678',
  SessionDeviceChanged: 'account-123456789012345678',
  SessionUsed: 'account-123456789012345678',
  SessionRevoked: 'account-123456789012345678',
  BotRetired: 'account-123456789012345678',
  BotCreated: 'bots-123456789012345678',
  BotDeleted: 'bots-123456789012345678',
  UserPhotoChanged: 'user-123456789012345678',
  UserPhotoRemoved: 'user-123456789012345678',
  UserRegistered: 'user-123456789012345678',
  NameChanged: 'user-123456789012345678',
  UsernameChanged: 'user-123456789012345678',
  UsernameCleared: 'user-123456789012345678',
  BannerChanged: 'user-123456789012345678',
  BannerRemoved: 'user-123456789012345678',
  BioChanged: 'user-123456789012345678',
  IconChanged: 'user-123456789012345678',
  IconCleared: 'user-123456789012345678',
  ColorChanged: 'user-123456789012345678',
  CommunityCreated: 'community-123456789012345678',
  CommunityDeleted: 'community-123456789012345678',
  CommunityPhotoChanged: 'community-123456789012345678',
  CommunityPhotoRemoved: 'community-123456789012345678',
  ChannelCreated: 'community-123456789012345678',
  ChannelRenamed: 'community-123456789012345678',
  ChannelDescribed: 'community-123456789012345678',
  ChannelsArranged: 'community-123456789012345678',
  ChannelExplicitnessChanged: 'community-123456789012345678',
  SlowmodeChanged: 'community-123456789012345678',
  MessageHighlighted: 'community-123456789012345678',
  HighlightCleared: 'community-123456789012345678',
  ChannelDeleted: 'community-123456789012345678',
  SystemMessagesSet: 'community-123456789012345678',
  DiscoveryListingSet: 'community-123456789012345678',
  DefaultNotificationsSet: 'community-123456789012345678',
  RoleCreated: 'community-123456789012345678',
  RoleEdited: 'community-123456789012345678',
  RoleDeleted: 'community-123456789012345678',
  OverrideSet: 'community-123456789012345678',
  OverrideRemoved: 'community-123456789012345678',
  MemberJoined: 'member-123456789012345678.123456789012345678',
  MemberRemoved: 'member-123456789012345678.123456789012345678',
  MemberLeft: 'member-123456789012345678.123456789012345678',
  NicknameSet: 'member-123456789012345678.123456789012345678',
  NicknameCleared: 'member-123456789012345678.123456789012345678',
  RolesSet: 'member-123456789012345678.123456789012345678',
  MessageSent: 'message-123456789012345678',
  MessageForwarded: 'message-123456789012345678',
  MemberAnnounced: 'message-123456789012345678',
  MessageEdited: 'message-123456789012345678',
  MessageDeleted: 'message-123456789012345678',
  MessagePinned: 'pins-channel.11.12',
  MessageUnpinned: 'pins-channel.11.12',
  PreviewFound: 'preview-123456789012345678',
  PreviewsSuppressed: 'preview-123456789012345678',
  PreviewsAllowed: 'preview-123456789012345678',
  PreviewOutdated: 'preview-123456789012345678',
  PreviewRemoved: 'preview-123456789012345678',
  UploadBegun: 'upload-123456789012345678.4398',
  UploadEnded: 'upload-123456789012345678.4398',
  FileMade: 'file-123456789012345678',
  FileUsed: 'file-123456789012345678',
  PagePictureMade: 'file-123456789012345678',
  FileReleased: 'file-123456789012345678',
  FileRemoved: 'file-123456789012345678',
  ChatInviteCreated: 'invite-sample',
  InviteCreated: 'invite-sample',
  InviteUsed: 'invite-sample',
  ReactionAdded: 'reactions-123456789012345678.123456789012345678',
  ReactionRemoved: 'reactions-123456789012345678.123456789012345678',
  CustomReactionAdded: 'reactions-123456789012345678.123456789012345678',
  CustomReactionRemoved: 'reactions-123456789012345678.123456789012345678',
  MessageReported: 'report-123456789012345678.123456789012345678',
  ReportEnded: 'report-123456789012345678.123456789012345678',
  EvidenceKept: 'report-123456789012345678.123456789012345678',
  EmojiAdded: 'stickerPack-123456789012345678',
  EmojiRemoved: 'stickerPack-123456789012345678',
  StickerPackEnded: 'stickerPack-123456789012345678',
  MarkerMoved: 'reads-123456789012345678.channel.11.12',
  InvisibilityChosen: 'visibility-123456789012345678',
  VisibilityChosen: 'visibility-123456789012345678',
  NameClaimed: 'email-sample',
  NameReleased: 'email-sample',
  DeploymentNamed: 'deployment-identity',
  KeysGivenUp: 'deployment-identity',
  KeysCounted: 'deployment-keys',
  DaysCounted: 'deployment-days',
};

describe('events', () => {
  it('are all different facts, stored as package.Fact.v1', () => {
    assert.ok(eventKinds.length > 0);
    assert.equal(new Set(eventKinds.map(({ type }) => type)).size, eventKinds.length);
    for (const kind of eventKinds) assert.match(storedType(kind), /^[a-z]+\.[A-Z][A-Za-z]+\.v1$/);
  });

  it('keep a sample of every kind, also of those no longer written', () => {
    const sampled = readdirSync(folder).map((file) => file.replace(/(\+.*)?\.json$/, ''));
    assert.deepEqual([...new Set(sampled)].sort(), eventKinds.map(storedType).sort());
  });

  it('are described in docs/events.md', () => {
    assert.equal(readFileSync('docs/events.md', 'utf8'), eventsPage(eventKinds), 'run `npm run samples`');
  });

  it('are in the streams that they have always been in', () => {
    const streams = eventKinds.map((kind) => [kind.type, kind.stream(kind.fields.sample)] as const);
    assert.deepEqual(Object.fromEntries(streams), streamsOfSamples);
  });

  it('affect permissions exactly when `Access` is folded from them', () => {
    const inAccess = [forRunner(communityDocuments), forRunner(membershipsDocuments)].flatMap(({ types }) => types);
    const affecting = eventKinds.map(({ type }) => type).filter((type) => affectsPermissions({ type }));
    assert.deepEqual(affecting.sort(), inAccess.sort());
  });

  for (const kind of eventKinds) {
    it(`${kind.type} is stored and read as ever`, async () => {
      const golden = goldenOf(storedType(kind));
      assert.deepEqual(await written(sampleOf(kind)), golden);
      assert.deepEqual((await read(storedType(kind), golden))?.data, sampleOf(kind).data);
    });
  }

  for (const kind of eventKinds.filter((one) => addedTo(one).length > 0)) {
    it(`${kind.type} is stored and read with ${addedTo(kind).join(' and ')}`, async () => {
      const golden = goldenOf(wholeName(kind));
      assert.deepEqual(await written(wholeSampleOf(kind)), golden);
      assert.deepEqual((await read(storedType(kind), golden))?.data, wholeSampleOf(kind).data);
    });
  }

  for (const kind of eventKinds.filter(({ personal }) => personal !== undefined)) {
    it(`${kind.type} has nothing personal in the clear`, async () => {
      const { data } = await written(wholeSampleOf(kind));
      const stored = JSON.parse(data) as object;
      for (const name of kind.personal?.names ?? []) assert.ok(!(name in stored), name);
      assert.ok('sealed' in stored);
    });
  }
});
