import { inviteStreams, type InviteEvent } from '../../domain/invites/events.js';
import { byKind, parseChatKey, type ChatKey } from '../../kernel/chat.js';
import type { DocumentType } from '../../kernel/document.js';
import type { EventOf, Recorded } from '../../kernel/event.js';
import { personal } from '../../kernel/personal.js';
import { communityScope } from '../../kernel/scopes.js';
import { whenThere, type Making } from '../runner/foldHelpers.js';
import type { InviteDocument } from './documents.js';

const ofCode = ({ data }: { readonly data: { readonly code: string } }): readonly string[] => [data.code];

/** Later than every time that an invite may have. */
const never = Number.MAX_SAFE_INTEGER;

export const inviteDocuments: DocumentType<InviteDocument, InviteEvent> = {
  name: 'invites',
  version: 3,
  keys: { ChatInviteCreated: ({ data }) => [data.invite], InviteCreated: ofCode, InviteUsed: ofCode },
  streams: (key) => [inviteStreams.named(key)],
  indexes: {
    usable: ({ chat, creator, expiresAt = never, name, maxUses = Infinity, uses }) =>
      uses < maxUses ? [[placeOf(chat), creator, expiresAt, name]] : [],
  },
  evolve: {
    ChatInviteCreated: (_, event) =>
      made(event, event.data.invite, { code: event.data.code, made: { joining: event.data.creatorJoining } }),
    InviteCreated: (_, event) =>
      made(event, event.data.code, { code: personal(event.data.code), made: { position: event.position } }),
    InviteUsed: whenThere((invite) => ({ ...invite, uses: invite.uses + 1 })),
  },
};

/** The place into which a chat's invites lead. */
export const placeOf = (chat: ChatKey): string =>
  byKind(parseChatKey(chat), {
    channel: ({ community }) => communityScope(community),
    group: () => chat,
    direct: () => chat,
    self: () => chat,
  });

const made = (
  { data, at }: Recorded<EventOf<InviteEvent, 'ChatInviteCreated' | 'InviteCreated'>>,
  name: string,
  named: Pick<InviteDocument, 'code' | 'made'>,
): InviteDocument => {
  const { chat, creator } = data;
  const invite: Making<InviteDocument> = { name, ...named, chat, creator, createdAt: at, uses: 0 };
  if (data.expiresAt !== undefined) invite.expiresAt = data.expiresAt;
  if (data.maxUses !== undefined) invite.maxUses = data.maxUses;
  return invite;
};
