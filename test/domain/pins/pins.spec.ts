import { describe, it } from 'node:test';
import type { PinCommand } from '../../../src/domain/pins/commands.js';
import { pins, pinsMax } from '../../../src/domain/pins/decide.js';
import type { PinEvent } from '../../../src/domain/pins/events.js';
import { selfChat } from '../../../src/kernel/chat.js';
import type { MessageId, UserId } from '../../../src/kernel/ids.js';
import { givenFor } from '../../support/given.js';

const given = givenFor(pins);
const by = 1n as UserId;
const chat = selfChat(by);
const ids = (...messages: readonly number[]): readonly MessageId[] => messages.map((id) => BigInt(id) as MessageId);
const about = (message: number) => ({ chat, message: BigInt(message) as MessageId, by });
const pinned = (message: number, ...all: readonly number[]): PinEvent => ({
  type: 'MessagePinned',
  data: { ...about(message), pinned: ids(...all) },
});
const unpinned = (message: number, ...all: readonly number[]): PinEvent => ({
  type: 'MessageUnpinned',
  data: { ...about(message), pinned: ids(...all) },
});
const setTo =
  ({ pin: pinIt }: Readonly<Record<'pin', boolean>>) =>
  (message: number, deleted: readonly MessageId[] = []): PinCommand => ({
    type: 'SetMessagePin',
    data: { ...about(message), pin: pinIt, deleted },
  });
const [pin, unpin] = [setTo({ pin: true }), setTo({ pin: false })];
const full = Array.from({ length: pinsMax }, (_, index) => 100 + index);

describe('pinning a message', () => {
  it('puts it before those that are pinned, once', () => {
    given().when(pin(1)).thenOnce(pinned(1, 1));
    given(pinned(1, 1))
      .when(pin(2))
      .thenOnce(pinned(2, 2, 1));
    given(pinned(1, 1), pinned(2, 2, 1))
      .when(pin(1))
      .then();
  });
  it('is possible again, and then it is the newest', () => {
    given(pinned(1, 1), pinned(2, 2, 1), unpinned(1, 2))
      .when(pin(1))
      .thenOnce(pinned(1, 1, 2));
  });
  it('is refused beyond the bound, and pushes nothing out', () => {
    given(pinned(100, ...full.slice(1)))
      .when(pin(1))
      .thenOnce(pinned(1, 1, ...full.slice(1)));
    given(pinned(100, ...full))
      .when(pin(1))
      .refuses('TOO_MANY_PINS');
    given(pinned(100, ...full))
      .when(pin(100))
      .then();
  });
  it('takes the place of those that were deleted', () => {
    given(pinned(100, ...full))
      .when(pin(1, ids(100, 120)))
      .thenOnce(pinned(1, 1, ...full.filter((id) => id !== 100 && id !== 120)));
  });
});

describe('taking a pin away', () => {
  it('leaves the others in their order, and is done once', () => {
    given(pinned(3, 3, 2, 1))
      .when(unpin(2))
      .thenOnce(unpinned(2, 3, 1));
    given().when(unpin(2)).then();
  });
});
