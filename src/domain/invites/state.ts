import type { ChatKey } from '../../kernel/chat.js';
import type { EventOf, Fold } from '../../kernel/event.js';
import type { Millis, UserId } from '../../kernel/ids.js';
import type { InviteEvent } from './events.js';

export type InviteState = { readonly status: 'none' } | OpenInvite;

export type OpenInvite = {
  readonly status: 'open';
  readonly chat: ChatKey;
  readonly expiresAt: Millis | undefined;
  readonly maxUses: number | undefined;
  readonly uses: number;
  /** For which joining each user took a use last. */
  readonly usedFor: ReadonlyMap<UserId, number>;
};

export const evolve: Fold<InviteState, InviteEvent> = {
  ChatInviteCreated: (_, { data }) => made(data),
  InviteCreated: (_, { data }) => made(data),
  InviteUsed: (state, { data }) =>
    state.status === 'none'
      ? state
      : { ...state, uses: state.uses + 1, usedFor: new Map(state.usedFor).set(data.user, data.joining) },
};

type Made = EventOf<InviteEvent, 'ChatInviteCreated' | 'InviteCreated'>['data'];
const made = ({ chat, expiresAt, maxUses }: Made): OpenInvite => ({
  status: 'open',
  chat,
  expiresAt,
  maxUses,
  uses: 0,
  usedFor: new Map(),
});
