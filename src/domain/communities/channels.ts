import { isRejection, reject, type Decision, type Rejection } from '../../kernel/decider.js';
import { displayName } from '../../kernel/displayName.js';
import { paced } from '../../kernel/editPace.js';
import { opened } from '../../kernel/opened.js';
import { has } from '../../kernel/permissions.js';
import type { WrittenEvent } from '../../kernel/personal.js';
import type { CreateChannel, DeleteChannel, EditChannel, TakeDownHighlight } from './commands.js';
import type { ChannelPlace, CommunityEvent } from './events.js';
import { channelsMax, descriptionUnitsMax, nameUnitsMax, slowmodeSecondsMax } from './limits.js';
import { endOf, movedPlaces, releasedPlaces } from './places.js';
import { refusedChange } from './overrides.js';
import { arranged, channelIn, overridesIn, type ChannelState } from './channelTree.js';
import { channelOf, type LivingCommunity } from './state.js';

export const createChannel = (
  { community, channel, by, kind, name: typed, parent }: CreateChannel['data'],
  state: LivingCommunity,
): Decision<CommunityEvent> => {
  if (channelOf(state, channel) !== undefined) return [];
  if (!has(by.permissions, 'modifyChannel')) return reject('MISSING_PERMISSION');
  const name = displayName(typed, nameUnitsMax);
  if (isRejection(name)) return name;
  if (parent !== undefined && !mayHold(state, parent, kind)) return reject('INVALID_PARENT');
  if (state.channels.length >= channelsMax) return reject('TOO_MANY', `at most ${channelsMax.toString()} channels`);
  const under = parent === undefined ? {} : { parent };
  const position = endOf(state, parent);
  return [
    {
      type: 'ChannelCreated',
      data: { community, channel, kind, position, ...under, by: by.user, name },
    },
  ];
};

/** The events of an edit. */
type ChannelEdited = Extract<
  WrittenEvent<CommunityEvent>,
  {
    readonly type:
      | 'ChannelRenamed'
      | 'ChannelDescribed'
      | 'ChannelExplicitnessChanged'
      | 'SlowmodeChanged'
      | 'MessageHighlighted'
      | 'HighlightCleared'
      | 'ChannelsArranged';
  }
>;

export const editChannel = (edit: EditChannel['data'], state: LivingCommunity): Decision<CommunityEvent> => {
  const channel = channelOf(state, edit.channel);
  if (channel === undefined) return reject('CHANNEL_NOT_FOUND');
  if (!has(edit.by.permissions, 'modifyChannel')) return reject('MISSING_PERMISSION');
  const name = edit.name === undefined ? undefined : displayName(edit.name, nameUnitsMax, opened(channel.name));
  if (isRejection(name)) return name;
  const wrong = wrongIn(edit);
  if (wrong !== undefined) return wrong;
  const { parent } = edit;
  if (parent !== undefined && parent !== 'none' && !mayHold(state, parent, channel.kind)) {
    return reject('INVALID_PARENT');
  }
  const places = movedPlaces(state, edit);
  const refused = refusedMove(edit, channel, places, state);
  if (refused !== undefined) return refused;
  const events = [...renamed(edit, name, channel), ...changedAttributes(edit, channel), ...arrangement(edit, places)];
  return paced(events, channel.editsPaidUntil, edit.at);
};

/** A channel that comes to follow another category has the overrides of that one, as if they had been set by hand. */
const refusedMove = (
  { by }: EditChannel['data'],
  channel: ChannelState,
  places: readonly ChannelPlace[],
  state: LivingCommunity,
): Rejection | undefined => {
  if (places.every(({ channel: id, parent }) => id !== channel.id || parent === channel.parent)) return undefined;
  const channels = arranged(state.channels, places);
  const moved = channelIn(channels, channel.id);
  if (moved === undefined || moved.parent === channel.parent) return undefined;
  return refusedChange(by, overridesIn(state.channels, channel), overridesIn(channels, moved), state);
};

export const deleteChannel = (
  { community, channel, by }: DeleteChannel['data'],
  state: LivingCommunity,
): Decision<CommunityEvent> => {
  if (channelOf(state, channel) === undefined) return [];
  if (!has(by.permissions, 'modifyChannel')) return reject('MISSING_PERMISSION');
  const places = releasedPlaces(state, channel);
  const gone: WrittenEvent<CommunityEvent> = {
    type: 'ChannelDeleted',
    data: { community, channel, by: by.user },
  };
  if (places.length === 0) return [gone];
  return [{ type: 'ChannelsArranged', data: { community, places, by: by.user } }, gone];
};

/** Another message may be highlighted by now. */
export const takeDownHighlight = (
  { community, channel, message, by }: TakeDownHighlight['data'],
  state: LivingCommunity,
): Decision<CommunityEvent> =>
  channelOf(state, channel)?.highlighted === message
    ? [{ type: 'HighlightCleared', data: { community, channel, by } }]
    : [];

const mayHold = (state: LivingCommunity, parent: CreateChannel['data']['channel'], kind: string): boolean =>
  kind !== 'category' && channelOf(state, parent)?.kind === 'category';

const wrongIn = ({ description, slowmodeSeconds }: EditChannel['data']): Rejection | undefined => {
  if (description !== undefined && description.length > descriptionUnitsMax) {
    return reject('INVALID_ARGUMENT', `a description has at most ${descriptionUnitsMax.toString()} characters`);
  }
  if (slowmodeSeconds !== undefined && slowmodeSeconds > slowmodeSecondsMax) {
    return reject('INVALID_ARGUMENT', `slow mode is at most ${slowmodeSecondsMax.toString()} seconds`);
  }
  return undefined;
};

// A channel begins without a description, which reads like an empty one.
const descriptionOf = ({ description }: ChannelState) => (description === undefined ? '' : opened(description));

const renamed = (
  { community, channel: id, by }: EditChannel['data'],
  name: string | undefined,
  channel: ChannelState,
): readonly ChannelEdited[] =>
  name === undefined || name === opened(channel.name)
    ? []
    : [{ type: 'ChannelRenamed', data: { community, channel: id, by: by.user, name } }];

const changedAttributes = (edit: EditChannel['data'], channel: ChannelState): readonly ChannelEdited[] => {
  const about = { community: edit.community, channel: edit.channel, by: edit.by.user };
  const { description, explicit, slowmodeSeconds: seconds } = edit;
  const events: ChannelEdited[] = [];
  if (description !== undefined && description !== descriptionOf(channel)) {
    events.push({ type: 'ChannelDescribed', data: { ...about, description } });
  }
  if (explicit !== undefined && explicit !== channel.explicit) {
    events.push({ type: 'ChannelExplicitnessChanged', data: { ...about, explicit } });
  }
  if (seconds !== undefined && seconds !== channel.slowmodeSeconds) {
    events.push({ type: 'SlowmodeChanged', data: { ...about, seconds } });
  }
  return [...events, ...highlight(edit, channel)];
};

const highlight = (
  { community, channel: id, by, highlighted }: EditChannel['data'],
  channel: ChannelState,
): readonly ChannelEdited[] => {
  const about = { community, channel: id, by: by.user };
  const wanted = highlighted === 'none' ? undefined : highlighted;
  if (highlighted === undefined || wanted === channel.highlighted) return [];
  return wanted === undefined
    ? [{ type: 'HighlightCleared', data: about }]
    : [{ type: 'MessageHighlighted', data: { ...about, message: wanted } }];
};

const arrangement = (edit: EditChannel['data'], places: readonly ChannelPlace[]): readonly ChannelEdited[] => {
  if (places.length === 0) return [];
  return [
    { type: 'ChannelsArranged', data: { community: edit.community, places, by: edit.by.user, channel: edit.channel } },
  ];
};
