import { communities } from '../domain/communities/decide.js';
import type { MessageEvent } from '../domain/messages/events.js';
import { parseChatKey } from '../kernel/chat.js';
import type { EventOf } from '../kernel/event.js';
import type { Workflow } from './runner.js';

/** Whenever a message was deleted, its channel highlights it no more. */
export const takeDownHighlights: Workflow<EventOf<MessageEvent, 'MessageDeleted'>> = {
  name: 'takeDownHighlights',
  reactions: {
    MessageDeleted: async ({ data: { chat, message, by } }, run) => {
      const place = parseChatKey(chat);
      if (place.kind !== 'channel') return;
      const { community, channel } = place;
      const data = { community, channel, message, by };
      await run(communities, { type: 'TakeDownHighlight', data }, `deleted.${message.toString()}`);
    },
  },
};
