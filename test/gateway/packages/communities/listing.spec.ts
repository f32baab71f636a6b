import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryDocuments } from '../../../../src/adapters/documents/memory.js';
import { freeMeter, sliceUnitsMax, costs } from '../../../../src/gateway/contract/meter.js';
import type { Access } from '../../../../src/gateway/contract/viewerPermissions.js';
import type { Call } from '../../../../src/gateway/contract/call.js';
import type { CommunityNeeds } from '../../../../src/gateway/packages/communities/needs.js';
import { channelsCountedMax, communityRpcs } from '../../../../src/gateway/packages/communities/rpcs.js';
import { isRejection } from '../../../../src/kernel/decider.js';
import { turns } from '../../../../src/gateway/requests/turns.js';
import { collectionOf } from '../../../../src/kernel/document.js';
import type { CommunityId, UserId } from '../../../../src/kernel/ids.js';
import type { DocumentStore } from '../../../../src/kernel/ports/documentStore.js';
import { lastSentDocuments } from '../../../../src/projections/messages/fold.js';
import { membershipsDocuments, membershipsKey } from '../../../../src/projections/members/fold.js';
import { collections } from '../../../../src/projections/registry.js';
import { readsOf } from '../../../support/reads.js';
import { nobodySees } from '../../rig/stage.js';

const user = 1n as UserId;
const [communities, channels] = [6, 500];

/** A user who is in six communities of five hundred channels each. */
const storeOf = async (): Promise<DocumentStore> => {
  const store = memoryDocuments();
  await store.open(collections);
  const memberships = Array.from({ length: communities }, (_, index) => ({
    community: BigInt(index + 1),
    roles: [],
    joined: 1n,
  }));
  const [collection, key] = [collectionOf(membershipsDocuments), membershipsKey(user)];
  await store.commit([{ collection, key, document: { user, memberships }, position: 1n, indexKeys: {} }], []);
  return store;
};

const documentOf = (id: CommunityId) => ({
  id,
  name: 'Engines',
  channels: Array.from({ length: channels }, (_, index) => ({ id: id * 1_000n + BigInt(index), kind: 'text' })),
});

const access = {
  load: () => undefined,
  now: {
    ...nobodySees,
    community: documentOf,
    member: () => ({ owner: false, permissions: 0n }),
    inChannel: () => 1n,
  },
} as unknown as Access; // Only as much of a community as its list shows.

const call = {
  caller: { user, session: 11n },
  meter: freeMeter,
  upToDate: () => Promise.resolve(),
  accessUpToDate: () => Promise.resolve(),
} as unknown as Call; // The list asks for nothing else.

describe('the list of communities', () => {
  it('counts unread messages in so many channels at most, however many there are', async () => {
    const store = await storeOf();
    let counted = 0;
    const counting: DocumentStore = {
      ...store,
      get: (collection, key) => {
        if (collection === collectionOf(lastSentDocuments)) counted += 1;
        return store.get(collection, key);
      },
    };
    // The list needs none of the others.
    let lookedAt = 0;
    const inChannel = (): bigint => {
      lookedAt += 1;
      return 1n;
    };
    const looked = { ...access, now: { ...access.now, inChannel } };
    const needs = { access: looked, reads: readsOf(counting) } as unknown as CommunityNeeds;
    const answer = await communityRpcs(needs).communitiesGetCommunities({}, call);
    assert.ok(!isRejection(answer));
    assert.equal(answer.communities.communities?.length, communities);
    assert.equal(answer.communities.communityUserInfo?.length, communities);
    assert.equal(counted, channelsCountedMax);
    assert.equal(lookedAt, channelsCountedMax);
  });

  it('lets others in between while it finds out which channels the user sees', async () => {
    const store = await storeOf();
    let inRow = 0;
    let most = 0;
    const inChannel = (): bigint => {
      inRow += 1;
      most = Math.max(most, inRow);
      return 1n;
    };
    const { spend, until } = turns(sliceUnitsMax);
    const meter = { spend, turn: (units: number) => until(units)?.then(() => void (inRow = 0)) };
    const looked = { ...access, now: { ...access.now, inChannel } };
    // The list needs none of the others.
    const needs = { access: looked, reads: readsOf(store) } as unknown as CommunityNeeds;
    await communityRpcs(needs).communitiesGetCommunities({}, { ...call, meter });
    assert.ok(most <= (sliceUnitsMax / costs.hundredChannels) * 100 + channels, most.toString());
  });
});
