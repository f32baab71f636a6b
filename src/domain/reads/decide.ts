import type { Decider } from '../../kernel/decider.js';
import type { ReadCommand } from './commands.js';
import { readStream, type ReadEvent } from './events.js';
import { evolve, initial, type ReadState } from './state.js';

export const reads: Decider<ReadCommand, ReadState, ReadEvent> = {
  stream: ({ data }) => readStream(data.user, data.chat),
  initial,
  evolve,
  // Where the marker stood before is of no use to anybody.
  keepsEvents: 1,
  rules: {
    // A marker never moves back: an older device that comes late must not make read messages unread again.
    MarkChatRead: (data, { marker }) =>
      marker !== undefined && data.message <= marker ? [] : [{ type: 'MarkerMoved', data }],
  },
};
