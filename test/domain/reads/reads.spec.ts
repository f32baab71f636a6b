import { describe, it } from 'node:test';
import type { ReadCommand } from '../../../src/domain/reads/commands.js';
import { reads } from '../../../src/domain/reads/decide.js';
import type { ReadEvent } from '../../../src/domain/reads/events.js';
import { directChat } from '../../../src/kernel/chat.js';
import type { MessageId, UserId } from '../../../src/kernel/ids.js';
import type { Bare } from '../../support/bare.js';
import { givenFor } from '../../support/given.js';

const given = givenFor(reads);
const user = 1n as UserId;
const chat = directChat(user, 2n as UserId);
const moved = (message: bigint): Bare<ReadEvent> => ({
  type: 'MarkerMoved',
  data: { user, chat, message: message as MessageId },
});
const mark = (message: bigint): ReadCommand => ({
  type: 'MarkChatRead',
  data: { user, chat, message: message as MessageId },
});

describe('marking a chat as read', () => {
  it('moves the marker, once', () => {
    given().when(mark(10n)).thenOnce(moved(10n));
    given(moved(10n)).when(mark(11n)).thenOnce(moved(11n));
  });
  it('never moves it back', () => {
    given(moved(10n)).when(mark(9n)).then();
  });
  it('needs only the newest of what was there', () => {
    // The log may have dropped all older ones.
    given(moved(11n)).when(mark(12n)).then(moved(12n));
  });
});
