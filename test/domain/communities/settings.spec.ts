import { describe, it } from 'node:test';
import type { EditSettings } from '../../../src/domain/communities/commands.js';
import type { CommunityEvent } from '../../../src/domain/communities/events.js';
import { longDescriptionUnitsMax, shortDescriptionUnitsMax } from '../../../src/domain/communities/limits.js';
import type { Millis } from '../../../src/kernel/ids.js';
import { permission } from '../../../src/kernel/permissions.js';
import type { Bare } from '../../support/bare.js';
import { begun, channelId, community, created, general, given, member, owner, random } from './cast.js';

const at = 1_767_225_600_000 as Millis;
type Wishes = Omit<EditSettings['data'], 'community' | 'by' | 'at'>;
const edit = (wishes: Wishes, by = owner): EditSettings => ({
  type: 'EditSettings',
  data: { community, by, at, ...wishes },
});
const by = owner.user;
const posted = (channel = general): Bare<CommunityEvent> => ({
  type: 'SystemMessagesSet',
  data: { community, channel, wanted: true, at, by },
});
const nowhere: Bare<CommunityEvent> = { type: 'SystemMessagesSet', data: { community, wanted: true, at, by } };
const listing = { shortDescription: 'Chess', longDescription: 'All of it', categories: ['games'] };
const listed: Bare<CommunityEvent> = { type: 'DiscoveryListingSet', data: { community, listed: true, listing, by } };
const quiet: Bare<CommunityEvent> = {
  type: 'DefaultNotificationsSet',
  data: { community, notifications: 'mentions', by },
};

describe('settings of a community', () => {
  it('are set each by itself, and the same again is nothing', () => {
    const all: Wishes = {
      systemMessages: { channel: general, wanted: true },
      discovery: { listed: true, listing },
      notifications: 'mentions',
    };
    given(...begun)
      .when(edit(all))
      .thenOnce(posted(), listed, quiet);
    given(...begun, posted(), listed, quiet)
      .when(edit({ notifications: 'mentions' }))
      .then();
    given(...begun, posted())
      .when(edit({ systemMessages: { wanted: true } }))
      .thenOnce(nowhere);
    given(...begun)
      .when(edit({}))
      .then();
  });

  it('begin with what a client shows without any', () => {
    const usual: Wishes = {
      systemMessages: { wanted: false },
      discovery: { listed: false, listing: { shortDescription: '', longDescription: '', categories: [] } },
      notifications: 'all',
    };
    given(...begun)
      .when(edit(usual))
      .then();
  });

  it('need the right to modify the community', () => {
    given(...begun)
      .when(edit({ notifications: 'none' }, member()))
      .refuses('MISSING_PERMISSION');
    given(...begun)
      .when(edit({ notifications: 'mentions' }, { ...member(permission.modifyCommunity), user: by }))
      .then(quiet);
  });

  it('name a channel that is there and has messages, and none once it is gone', () => {
    given(...begun)
      .when(edit({ systemMessages: { channel: random, wanted: true } }))
      .refuses('CHANNEL_NOT_FOUND');
    const category = created(channelId(300n), 1, { kind: 'category' });
    given(...begun, category)
      .when(edit({ systemMessages: { channel: channelId(300n), wanted: true } }))
      .refuses('NOT_A_TEXT_CHAT');
    const gone: Bare<CommunityEvent> = { type: 'ChannelDeleted', data: { community, channel: general, by } };
    given(...begun, posted(), gone)
      .when(edit({ systemMessages: { wanted: true } }))
      .then();
    given(...begun, created(random, 1), posted(random), gone)
      .when(edit({ systemMessages: { channel: random, wanted: true } }))
      .then();
  });

  it('have texts within their bounds, and each category once', () => {
    const refused = [
      { ...listing, shortDescription: 'x'.repeat(shortDescriptionUnitsMax + 1) },
      { ...listing, longDescription: 'x'.repeat(longDescriptionUnitsMax + 1) },
      { ...listing, categories: ['x'.repeat(51)] },
    ];
    for (const one of refused) {
      given(...begun)
        .when(edit({ discovery: { listed: true, listing: one } }))
        .refuses('INVALID_ARGUMENT');
    }
    given(...begun)
      .when(edit({ discovery: { listed: true, listing: { ...listing, categories: ['games', 'games'] } } }))
      .then(listed);
  });
});
