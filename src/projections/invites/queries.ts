import type { ChatKey } from '../../kernel/chat.js';
import type { Millis, UserId } from '../../kernel/ids.js';
import { countIn, documentsIn, documentsOf, type Reads } from '../reading/queries.js';
import type { InviteDocument } from './documents.js';
import { inviteDocuments, placeOf } from './fold.js';

/** The first of these names that an invite has; also when it is expired or used up. */
export const invite = async (reads: Reads, names: readonly string[]): Promise<InviteDocument | undefined> =>
  (await documentsOf(reads, inviteDocuments, names))[0];

/** Invites into the place of a chat by one creator. */
export type InvitesBy = { readonly chat: ChatKey; readonly creator: UserId; readonly now: Millis };

/** How many are neither expired nor used up, counted up to `limit`. */
export const usableInviteCount = (reads: Reads, by: InvitesBy, limit: number): Promise<number> =>
  countIn(reads, inviteDocuments, { ...usable(by), limit });

/** Those that are neither expired nor used up; those that expire first come first. */
export const usableInvites = (reads: Reads, by: InvitesBy, limit: number): Promise<readonly InviteDocument[]> =>
  documentsIn(reads, inviteDocuments, { ...usable(by), order: 'ascending', limit });

const usable = ({ chat, creator, now }: InvitesBy) =>
  ({ index: 'usable', within: [placeOf(chat), creator], after: now }) as const;
