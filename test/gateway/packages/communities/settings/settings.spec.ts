import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { NotifPrefs } from '../../../../../src/gen/types.js';
import { permission } from '../../../../../src/kernel/permissions.js';
import { ada, bob, category, community, dora, general, hidden } from '../../../../support/house/cast.js';
import { house, type House } from '../../../../support/house/house.js';
import type { Node } from '../../../../support/house/node.js';

let here: House;
let node: Node;
before(async () => {
  here = await house();
  node = await here.node();
});
after(() => here.close());

const edit = async (settings?: object, user = ada) =>
  (await node.must(user, 'communitiesEditSettings', { communityId: community, ...(settings && { settings }) }))
    .communitySettings;
const refused = (settings: object, user = ada) =>
  node.refused(user, 'communitiesEditSettings', { communityId: community, settings });
const idOf = ({ channel }: typeof general) => channel?.channelId;

describe('communities.EditSettings', () => {
  it('answers what clients show of a community that never set any', async () => {
    const { systemMessages, discoveryListing, defaultNotifPrefs } = await edit();
    assert.deepEqual(
      [systemMessages?.channelId, systemMessages?.joinMessages, discoveryListing?.listed, defaultNotifPrefs],
      [undefined, false, false, NotifPrefs.ALL],
    );
  });

  it('replaces what is there, keeps what is absent, and tells it at once', async () => {
    const listing = { shortDescription: 'Engines', longDescription: 'All of them', categories: ['tech', 'steam'] };
    await edit({ systemMessages: { channelId: idOf(general), joinMessages: true } });
    const { systemMessages, discoveryListing } = await edit({ discoveryListing: { listed: true, listing } });
    assert.deepEqual([systemMessages?.channelId, systemMessages?.joinMessages], [idOf(general), true]);
    assert.deepEqual({ ...discoveryListing?.listing }, listing);
    const after = await edit({ systemMessages: { joinMessages: true }, defaultNotifPrefs: NotifPrefs.NONE });
    assert.deepEqual(
      [after.systemMessages?.channelId, after.defaultNotifPrefs, after.discoveryListing?.listed],
      [undefined, NotifPrefs.NONE, true],
    );
    assert.deepEqual(await edit(undefined, bob), after, 'members read them');
  });

  it('is for those who may modify the community, and shows nobody a channel that is hidden', async () => {
    assert.equal(await refused({ defaultNotifPrefs: NotifPrefs.ALL }, bob), 'MISSING_PERMISSION');
    assert.equal(await refused({}, dora), 'COMMUNITY_NOT_FOUND');
    await edit({ systemMessages: { channelId: idOf(hidden), joinMessages: true } });
    assert.equal((await edit()).systemMessages?.channelId, idOf(hidden));
    assert.equal((await edit(undefined, bob)).systemMessages?.channelId, undefined);
    await here.happened('community-100', {
      type: 'OverrideSet',
      data: { community, channel: idOf(general), role: 0n, pos: permission.modifyCommunity, neg: 0n, by: ada },
    });
    assert.equal(await refused({ systemMessages: { channelId: idOf(hidden) } }, bob), 'CHANNEL_NOT_FOUND');
    const looks = { color: 0, separated: false, public: false, priority: 0, name: 'editors' };
    await here.happened('community-100', {
      type: 'RoleCreated',
      data: { community, role: 9n, permissions: permission.modifyCommunity, by: ada, ...looks },
    });
    await here.happened(`member-100.${bob.toString()}`, {
      type: 'RolesSet',
      data: { community, user: bob, roles: [9n], by: ada },
    });
    await edit({ systemMessages: { joinMessages: false } }, bob);
    const { systemMessages: kept } = await edit();
    assert.deepEqual([kept?.channelId, kept?.joinMessages], [idOf(hidden), false], 'it is not taken away unseen');
    await edit({ systemMessages: { joinMessages: false, channelId: 0n } }, bob);
    assert.equal((await edit()).systemMessages?.channelId, undefined);
  });

  it('refuses what is none, and changes nothing by it', async () => {
    const end = await here.log.end();
    assert.equal(await refused({ defaultNotifPrefs: NotifPrefs.DEFAULT }), 'INVALID_ARGUMENT');
    assert.equal(await refused({ defaultNotifPrefs: 77 }), 'INVALID_ARGUMENT');
    assert.equal(await refused({ systemMessages: { channelId: 7n } }), 'CHANNEL_NOT_FOUND');
    assert.equal(await refused({ systemMessages: { channelId: idOf(category) } }), 'NOT_A_TEXT_CHAT');
    assert.equal(
      await refused({ discoveryListing: { listed: true, listing: { shortDescription: 'x'.repeat(201) } } }),
      'INVALID_ARGUMENT',
    );
    assert.equal(await here.log.end(), end);
  });

  it('forgets a channel that is deleted', async () => {
    await edit({ systemMessages: { channelId: idOf(general), joinMessages: true } });
    await node.must(ada, 'communitiesDeleteChannel', { channel: { communityId: community, channelId: idOf(general) } });
    const { systemMessages } = await edit();
    assert.deepEqual([systemMessages?.channelId, systemMessages?.joinMessages], [undefined, true]);
  });
});
