import { describe, it } from 'node:test';
import type { CommunityCommand } from '../../../src/domain/communities/commands.js';
import type { CommunityEvent } from '../../../src/domain/communities/events.js';
import type { Bare } from '../../support/bare.js';
import type { FileId, Millis } from '../../../src/kernel/ids.js';
import { permission } from '../../../src/kernel/permissions.js';
import { ada, begun, bob, community, created, edit, founded, general, given, member, owner } from './cast.js';

const found = (name: string): CommunityCommand => ({
  type: 'CreateCommunity',
  data: { community, general, name, by: ada },
});
const end = (by = ada): CommunityCommand => ({ type: 'DeleteCommunity', data: { community, by } });
const deleted: Bare<CommunityEvent> = { type: 'CommunityDeleted', data: { community, by: ada } };
const firstChannel: Bare<CommunityEvent> = {
  type: 'ChannelCreated',
  data: { community, channel: general, kind: 'text', position: 0, by: ada, name: 'general' },
};

describe('founding a community', () => {
  it('makes it together with its first channel, once', () => {
    given().when(found('Chess')).thenOnce(founded, firstChannel);
  });
  it('needs a name in which there is something to see', () => {
    for (const name of ['', '   ', '\u200b']) given().when(found(name)).refuses('INVALID_NAME');
  });
  it('keeps the name in its one form', () => {
    given()
      .when(found(' Che\u0301ss  \u00a0club '))
      .thenOnce(
        { ...founded, data: { ...founded.data, name: 'Ch\u00e9ss club' } } as Bare<CommunityEvent>,
        firstChannel,
      );
    given().when(found('a\u202eb')).refuses('INVALID_NAME');
  });
  it('takes a name of at most a hundred characters', () => {
    given()
      .when(found('x'.repeat(101)))
      .refuses('INVALID_NAME');
    given()
      .when(found('x'.repeat(100)))
      .then({ ...founded, data: { ...founded.data, name: 'x'.repeat(100) } } as Bare<CommunityEvent>, firstChannel);
  });
});

describe('deleting a community', () => {
  it('is a fact, once', () => {
    given(...begun)
      .when(end())
      .thenOnce(deleted);
  });
  it('is for the owner only', () => {
    given(...begun)
      .when(end(bob))
      .refuses('NOT_OWNER');
  });
  it('needs a community', () => {
    given().when(end()).refuses('COMMUNITY_NOT_FOUND');
  });
  it('ends everything that could be done in it', () => {
    given(...begun, deleted)
      .when(edit(general, { name: 'late' }))
      .refuses('COMMUNITY_NOT_FOUND');
    given(founded, created(general, 0), deleted).when(found('Chess')).then();
  });
});

describe('the photo of a community', () => {
  const [one, two] = [11n as FileId, 12n as FileId];
  const content = { key: 'key', thumb: 'thumb' };
  type Edit = Extract<CommunityCommand, { readonly type: 'EditPhoto' }>;
  const photo = (to: Edit['data']['to'], by = owner): CommunityCommand => ({
    type: 'EditPhoto',
    data: { community, by, at: 0 as Millis, to },
  });
  const shown: Bare<CommunityEvent> = {
    type: 'CommunityPhotoChanged',
    data: { community, by: ada, file: one, content },
  };

  it('is put there once, and says what it takes the place of', () => {
    given(...begun)
      .when(photo({ file: one, content }))
      .thenOnce(shown);
    given(...begun, shown)
      .when(photo({ file: two, content }))
      .thenOnce({ type: 'CommunityPhotoChanged', data: { community, by: ada, file: two, content, replaced: one } });
    given(...begun, shown)
      .when(photo('removed'))
      .thenOnce({ type: 'CommunityPhotoRemoved', data: { community, by: ada, file: one } });
    given(...begun)
      .when(photo('removed'))
      .then();
  });
  it('is for those who may change the community', () => {
    given(...begun, shown)
      .when(photo('removed', member()))
      .refuses('MISSING_PERMISSION');
    given(...begun, shown)
      .when(photo('removed', member(permission.modifyCommunity)))
      .then({ type: 'CommunityPhotoRemoved', data: { community, by: bob, file: one } });
  });
  it('goes with the community, which says so', () => {
    given(...begun, shown)
      .when(end())
      .then({ type: 'CommunityDeleted', data: { community, by: ada, photo: one } });
  });
});
