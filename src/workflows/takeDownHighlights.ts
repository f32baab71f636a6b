import { communities } from '../domain/communities/decide.js';
import type { MessageEvent } from '../domain/messages/events.js';
import { byKind, parseChatKey } from '../kernel/chat.js';
import type { EventOf } from '../kernel/event.js';
import type { Workflow } from './runner.js';

/** Whenever a message was deleted, its channel highlights it no more. */
export const takeDownHighlights: Workflow<EventOf<MessageEvent, 'MessageDeleted'>> = {
  name: 'takeDownHighlights',
  // A highlight that was left would stay for ever; one that is gone is found gone.
  begins: 'start',
  belongsTo: 'deployment',
  reactions: {
    MessageDeleted: ({ data: { chat, message, by } }, run) =>
      byKind(parseChatKey(chat), {
        channel: async ({ community, channel }) => {
          const data = { community, channel, message, by };
          await run(communities, { type: 'TakeDownHighlight', data }, `deleted.${message.toString()}`);
        },
        // Only channels have a highlight.
        direct: () => Promise.resolve(),
        group: () => Promise.resolve(),
        self: () => Promise.resolve(),
      }),
  },
};
