import { describe, it } from 'node:test';
import type { CommunityCommand } from '../../../src/domain/communities/commands.js';
import type { CommunityEvent } from '../../../src/domain/communities/events.js';
import type { Bare } from '../../support/bare.js';
import { ada, begun, bob, community, created, edit, founded, general, given } from './cast.js';

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
