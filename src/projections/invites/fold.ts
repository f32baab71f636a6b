import { inviteStreams, type InviteEvent } from '../../domain/invites/events.js';
import type { DocumentType } from '../../kernel/document.js';
import { whenThere, type Making } from '../runner/foldHelpers.js';
import type { InviteDocument } from './documents.js';

const ofCode = ({ data }: { readonly data: { readonly code: string } }): readonly string[] => [data.code];

export const inviteDocuments: DocumentType<InviteDocument, InviteEvent> = {
  name: 'invites',
  version: 1,
  keys: { InviteCreated: ofCode, InviteUsed: ofCode },
  streams: (key) => [inviteStreams.named(key)],
  indexes: {},
  evolve: {
    InviteCreated: (_, { data, at }) => {
      const { code, chat, creator } = data;
      const invite: Making<InviteDocument> = { code, chat, creator, createdAt: at, uses: 0 };
      if (data.expiresAt !== undefined) invite.expiresAt = data.expiresAt;
      if (data.maxUses !== undefined) invite.maxUses = data.maxUses;
      return invite;
    },
    InviteUsed: whenThere((invite) => ({ ...invite, uses: invite.uses + 1 })),
  },
};
