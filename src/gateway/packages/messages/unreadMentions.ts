import { isRejection } from '../../../kernel/decider.js';
import type { Reads } from '../../../projections/reading/queries.js';
import { unreadMentions } from '../../../projections/unread/unread.js';
import { seenTextChat } from '../../access/chatAccess.js';
import { inChat } from '../../access/scopes.js';
import type { Handlers } from '../../contract/handlers.js';
import { meteredReads } from '../../contract/meteredReads.js';
import type { Access } from '../../contract/viewerPermissions.js';

/** Of one answer. A client that has read these asks again. */
export const unreadMentionsMax = 1_000;

export type MentionsNeeds = { readonly access: Access; readonly reads: Reads };

export const unreadMentionRpcs = (needs: MentionsNeeds): Handlers<'messagesGetUnreadMentions'> => ({
  messagesGetUnreadMentions: inChat(needs.access, 'read')(
    async (_, call, { key: chat }) => {
      const { access } = needs;
      const { user } = call.caller;
      const floorNow = (): bigint => access.now.unreadFloorIn(chat)(user);
      const reads = meteredReads(needs.reads, call);
      const found = await unreadMentions(reads, { chat, user, floor: floorNow() }, unreadMentionsMax);
      // Sight that was lost during the read would show messages that were sent since.
      const still = await seenTextChat(access, call, chat);
      if (isRejection(still)) return still;
      const floor = floorNow();
      return { unreadMentions: { messageIds: found.filter((message) => message > floor) } };
    },
    { reads: ['messages', 'reads'] },
  ),
});
