import type { CommunityEvent } from '../domain/communities/events.js';
import type { InviteEvent } from '../domain/invites/events.js';
import { joiningId, members } from '../domain/members/decide.js';
import { byKind, parseChatKey } from '../kernel/chat.js';
import type { EventOf } from '../kernel/event.js';
import type { Workflow } from './runner.js';

/**
 * Whenever a community was founded, or a use of an invite was taken, its member is in. The request that did the first
 * does the second as well, right after it and under the same name; this is for when it did not come to that.
 */
export const admitMembers: Workflow<EventOf<CommunityEvent, 'CommunityCreated'> | EventOf<InviteEvent, 'InviteUsed'>> =
  {
    name: 'admitMembers',
    // A missing member would be missing for ever; members who are there are found there.
    begins: 'start',
    belongsTo: 'deployment',
    reactions: {
      CommunityCreated: async ({ data: { community, owner: user } }, run) => {
        const data = { community, user, via: 'founding', joining: 1 } as const;
        await run(members, { type: 'JoinCommunity', data }, joiningId(community, user, 1));
      },
      InviteUsed: ({ data: { code: invite, chat, user, joining } }, run) =>
        byKind(parseChatKey(chat), {
          channel: async ({ community }) => {
            const data = { community, user, via: 'invite', invite, joining } as const;
            await run(members, { type: 'JoinCommunity', data }, joiningId(community, user, joining));
          },
          // Only invites into communities are built.
          direct: () => Promise.resolve(),
          group: () => Promise.resolve(),
          self: () => Promise.resolve(),
        }),
    },
  };
