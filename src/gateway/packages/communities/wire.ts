import type { ChannelKind } from '../../../domain/communities/events.js';
import type { ChannelRef } from '../../../gen/refs.js';
import { ChannelType } from '../../../gen/types.js';
import { reject, type Rejection } from '../../../kernel/decider.js';
import { allPermissions } from '../../../kernel/permissions.js';

const channelKinds = new Map<number, ChannelKind>([
  [ChannelType.TEXT, 'text'],
  [ChannelType.VOICE, 'voice'],
  [ChannelType.CATEGORY, 'category'],
]);

/** Enums are open on the wire: a newer client may know a type that this server does not. */
export const channelKindOf = (type: number): ChannelKind | Rejection =>
  channelKinds.get(type) ?? reject('INVALID_ARGUMENT', 'the type of channel is unknown');

/** Bits that the protocol does not define mean nothing yet, so they are not kept. */
export const bitsOf = (permissions: bigint): bigint => permissions & allPermissions;

export const channelRefOf = (ref: ChannelRef | undefined): ChannelRef | Rejection =>
  ref ?? reject('INVALID_ARGUMENT', 'channel is missing');
