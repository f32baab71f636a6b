import { describe, it } from 'node:test';
import type { CommunityCommand } from '../../../src/domain/communities/commands.js';
import type { CommunityEvent } from '../../../src/domain/communities/events.js';
import { channelsMax } from '../../../src/domain/communities/limits.js';
import type { Bare } from '../../support/bare.js';
import {
  ada,
  archive,
  arranged,
  moving,
  begun,
  bob,
  channelId,
  community,
  created,
  edit,
  founded,
  general,
  given,
  member,
  messageId,
  modifyChannel,
  owner,
  random,
  staff,
  talk,
} from './cast.js';

type Create = Extract<CommunityCommand, { readonly type: 'CreateChannel' }>['data'];
const create = (channel: bigint, changes: Partial<Create> = {}): CommunityCommand => ({
  type: 'CreateChannel',
  data: {
    community,
    channel: channelId(channel),
    by: owner,
    kind: 'text',
    name: `channel ${channel.toString()}`,
    ...changes,
  },
});
const remove = (channel: bigint, by = owner): CommunityCommand => ({
  type: 'DeleteChannel',
  data: { community, channel: channelId(channel), by },
});
const about = { community, channel: general, by: ada };
const category = created(staff, 1, { kind: 'category' });

describe('creating a channel', () => {
  it('puts it behind the others, once', () => {
    given(...begun)
      .when(create(202n))
      .thenOnce(created(random, 1));
  });
  it('leaves no place twice after one was deleted', () => {
    given(...begun, created(random, 1), gone(general))
      .when(create(203n))
      .then(created(talk, 2));
  });
  it('counts places within the category', () => {
    given(...begun, category)
      .when(create(202n, { parent: staff, kind: 'voice' }))
      .then(created(random, 0, { parent: staff, kind: 'voice' }));
  });
  it('needs the permission', () => {
    given(...begun)
      .when(create(202n, { by: member() }))
      .refuses('MISSING_PERMISSION');
    given(...begun)
      .when(create(202n, { by: member(modifyChannel), name: '' }))
      .refuses('INVALID_NAME');
  });
  it('takes only a category as parent, and no category under another', () => {
    given(...begun)
      .when(create(202n, { parent: general }))
      .refuses('INVALID_PARENT');
    given(...begun)
      .when(create(202n, { parent: channelId(9n) }))
      .refuses('INVALID_PARENT');
    given(...begun, category)
      .when(create(211n, { parent: staff, kind: 'category' }))
      .refuses('INVALID_PARENT');
  });
  it('stops at the limit', () => {
    const many = Array.from({ length: channelsMax }, (_, index) => created(channelId(1000n + BigInt(index)), index));
    given(founded, ...many)
      .when(create(202n))
      .refuses('TOO_MANY');
  });
});

describe('editing a channel', () => {
  it('says each thing that changed, in one go, once', () => {
    given(...begun)
      .when(
        edit(general, {
          name: 'lobby',
          description: 'for all',
          explicit: true,
          slowmodeSeconds: 10,
          highlighted: messageId(5n),
        }),
      )
      .thenOnce(
        { type: 'ChannelRenamed', data: { ...about, name: 'lobby' } },
        { type: 'ChannelDescribed', data: { ...about, description: 'for all' } },
        { type: 'ChannelExplicitnessChanged', data: { ...about, explicit: true } },
        { type: 'SlowmodeChanged', data: { ...about, seconds: 10 } },
        { type: 'MessageHighlighted', data: { ...about, message: messageId(5n) } },
      );
  });
  it('says nothing of what stays as it is', () => {
    given(...begun)
      .when(
        edit(general, {
          name: 'channel 201',
          description: '',
          explicit: false,
          slowmodeSeconds: 0,
          highlighted: 'none',
        }),
      )
      .then();
  });
  it('takes the highlighted message down', () => {
    given(...begun, {
      type: 'MessageHighlighted',
      data: { ...about, message: messageId(5n) },
    })
      .when(edit(general, { highlighted: 'none' }))
      .thenOnce({ type: 'HighlightCleared', data: about });
  });
  it('takes a highlighted message down that was deleted, whoever did it, and no other one', () => {
    const highlighted = given(...begun, {
      type: 'MessageHighlighted',
      data: { ...about, message: messageId(5n) },
    });
    const deleted = (id: bigint): CommunityCommand => ({
      type: 'TakeDownHighlight',
      data: { community, channel: general, message: messageId(id), by: bob },
    });
    const cleared = { community, channel: general, by: bob };
    highlighted.when(deleted(5n)).thenOnce({ type: 'HighlightCleared', data: cleared });
    highlighted.when(deleted(6n)).then();
  });
  it('judges a new name only', () => {
    const about = { community, channel: general, by: ada };
    const before: Bare<CommunityEvent> = { type: 'ChannelRenamed', data: { ...about, name: 'a\u202eb  c' } };
    given(...begun, before)
      .when(edit(general, { name: ' a\u202eb  c' }))
      .then();
    given(...begun, before)
      .when(edit(general, { name: 'a\nb' }))
      .refuses('INVALID_NAME');
    given(...begun, before)
      .when(edit(general, { name: 'b  c' }))
      .thenOnce({ type: 'ChannelRenamed', data: { ...about, name: 'b c' } });
  });
  it('needs the permission and the channel', () => {
    given(...begun)
      .when(edit(general, { name: 'x', by: member() }))
      .refuses('MISSING_PERMISSION');
    given(...begun)
      .when(edit(random, { name: 'x' }))
      .refuses('CHANNEL_NOT_FOUND');
  });
  it('keeps to the limits', () => {
    given(...begun)
      .when(edit(general, { name: ' ' }))
      .refuses('INVALID_NAME');
    given(...begun)
      .when(edit(general, { description: 'x'.repeat(1025) }))
      .refuses('INVALID_ARGUMENT');
    given(...begun)
      .when(edit(general, { slowmodeSeconds: 21_601 }))
      .refuses('INVALID_ARGUMENT');
  });
});

describe('moving a channel', () => {
  const three = [founded, created(general, 0), created(random, 1), created(talk, 2)];

  it('down shifts the others up, in one event', () => {
    given(...three)
      .when(edit(general, { position: 2 }))
      .thenOnce(moving(general, [random, 0], [talk, 1], [general, 2]));
  });
  it('up shifts the others down', () => {
    given(...three)
      .when(edit(talk, { position: 0 }))
      .thenOnce(moving(talk, [talk, 0], [general, 1], [random, 2]));
  });
  it('names only those whose place changed', () => {
    given(...three)
      .when(edit(random, { position: 2 }))
      .then(moving(random, [talk, 1], [random, 2]));
  });
  it('beyond the end is to the end', () => {
    given(...three)
      .when(edit(general, { position: 4_000_000_000 }))
      .then(moving(general, [random, 0], [talk, 1], [general, 2]));
  });
  it('to where it is says nothing', () => {
    given(...three)
      .when(edit(random, { position: 1, parent: 'none' }))
      .then();
  });
  it('closes the gaps that deleted ones left', () => {
    given(...three, gone(random))
      .when(edit(talk, { position: 0 }))
      .then(moving(talk, [talk, 0], [general, 1]));
  });
  it('into a category puts it behind what is there', () => {
    given(...three, created(staff, 3, { kind: 'category' }), created(archive, 0, { parent: staff }))
      .when(edit(random, { parent: staff }))
      .thenOnce(moving(random, [random, 1, staff]));
  });
  it('into a category at a position shifts what is there', () => {
    given(...three, created(staff, 3, { kind: 'category' }), created(archive, 0, { parent: staff }))
      .when(edit(general, { parent: staff, position: 0 }))
      .thenOnce(moving(general, [general, 0, staff], [archive, 1, staff]));
  });
  it('out of a category puts it at the end of the top level', () => {
    given(...begun, category, created(random, 0, { parent: staff }))
      .when(edit(random, { parent: 'none' }))
      .thenOnce(moving(random, [random, 2]));
  });
  it('needs a category as parent, and never moves a category into one', () => {
    given(...three)
      .when(edit(general, { parent: random }))
      .refuses('INVALID_PARENT');
    given(...begun, category, created(archive, 2, { kind: 'category' }))
      .when(edit(archive, { parent: staff }))
      .refuses('INVALID_PARENT');
    given(...begun, category)
      .when(edit(staff, { parent: staff }))
      .refuses('INVALID_PARENT');
  });
});

describe('deleting a channel', () => {
  it('is a fact, once', () => {
    given(...begun)
      .when(remove(201n))
      .thenOnce(gone(general));
  });
  it('moves the channels of a category to the top level first', () => {
    given(...begun, category, created(random, 0, { parent: staff }), created(talk, 1, { parent: staff }))
      .when(remove(210n))
      .thenOnce(arranged([random, 2], [talk, 3]), gone(staff));
  });
  it('needs the permission', () => {
    given(...begun)
      .when(remove(201n, member()))
      .refuses('MISSING_PERMISSION');
  });
});

function gone(channel: typeof general): Bare<CommunityEvent> {
  return { type: 'ChannelDeleted', data: { community, channel, by: ada } };
}
