import { reject, type Decider } from '../../kernel/decider.js';
import type { PinCommand } from './commands.js';
import { pinStream, type PinEvent } from './events.js';
import { evolve, initial, type PinState } from './state.js';

/** Pinned messages of a chat. */
export const pinsMax = 50;

export const pins: Decider<PinCommand, PinState, PinEvent> = {
  stream: ({ data }) => pinStream(data.chat),
  initial,
  evolve,
  foldsFromLatest: true,
  rules: {
    SetMessagePin: ({ pin, deleted, ...about }, { pinned }) => {
      const { message } = about;
      if (pinned.includes(message) === pin) return [];
      const others = pinned.filter((other) => other !== message && !deleted.includes(other));
      if (!pin) return [{ type: 'MessageUnpinned', data: { ...about, pinned: others } }];
      if (others.length >= pinsMax) return reject('TOO_MANY_PINS', `at most ${pinsMax.toString()}`);
      return [{ type: 'MessagePinned', data: { ...about, pinned: [message, ...others] } }];
    },
  },
};
