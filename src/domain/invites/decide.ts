import { defined } from '../../kernel/defined.js';
import { reject, type Decider, type Decision } from '../../kernel/decider.js';
import type { CreateChatInvite, InviteCommand, UseInvite } from './commands.js';
import { inviteStreams, type InviteEvent } from './events.js';
import { evolve, type InviteState } from './state.js';

/** Each use of a limited invite is an event of its stream, which must not grow without bound. */
export const inviteUsesMax = 10_000;

const createChatInvite = (
  { at, expiresAt, maxUses, ...made }: CreateChatInvite['data'],
  state: InviteState,
): Decision<InviteEvent> => {
  // Codes are too many to meet by chance; should it happen, the one who came first keeps theirs.
  if (state.status === 'open') return reject('CONFLICT');
  if (expiresAt !== undefined && expiresAt <= at) return reject('INVALID_ARGUMENT', 'expires_at has passed already');
  if (maxUses !== undefined && (maxUses < 1 || maxUses > inviteUsesMax)) {
    return reject('INVALID_ARGUMENT', `max_uses is at most ${inviteUsesMax.toString()}`);
  }
  return [{ type: 'ChatInviteCreated', data: { ...made, ...defined({ expiresAt, maxUses }) } }];
};

const useInvite = ({ invite, user, joining, at }: UseInvite['data'], state: InviteState): Decision<InviteEvent> => {
  if (state.status === 'none') return reject('INVITE_NOT_FOUND');
  // A user who has taken their use is in, even when they ask again much later.
  if ((state.usedFor.get(user) ?? 0) >= joining) return [];
  if (state.expiresAt !== undefined && at >= state.expiresAt) return reject('INVITE_NOT_FOUND');
  if (state.maxUses === undefined) return [];
  if (state.uses >= state.maxUses) return reject('INVITE_NOT_FOUND');
  return [{ type: 'InviteUsed', data: { code: invite, chat: state.chat, user, joining } }];
};

export const invites: Decider<InviteCommand, InviteState, InviteEvent> = {
  stream: ({ data }) => inviteStreams.named(data.invite),
  initial: { status: 'none' },
  evolve,
  rules: { CreateChatInvite: createChatInvite, UseInvite: useInvite },
  begins: ['CreateChatInvite'],
};
