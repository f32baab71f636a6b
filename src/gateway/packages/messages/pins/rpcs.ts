import { messages } from '../../../../domain/messages/decide.js';
import { messageStream } from '../../../../domain/messages/events.js';
import type { MessageState } from '../../../../domain/messages/state.js';
import type { PinCommand } from '../../../../domain/pins/commands.js';
import { pins, pinsMax } from '../../../../domain/pins/decide.js';
import { pinStream } from '../../../../domain/pins/events.js';
import type { ChatKey } from '../../../../kernel/chat.js';
import { isRejection, reject, type Rejection } from '../../../../kernel/decider.js';
import type { FoldedStreams } from '../../../../kernel/foldedStreams.js';
import type { MessageId } from '../../../../kernel/ids.js';
import { has } from '../../../../kernel/permissions.js';
import { messagesById } from '../../../../projections/messages/queries.js';
import { pinsOf } from '../../../../projections/pins/queries.js';
import { asOfEnd } from '../../../access/askedAtAppend.js';
import { askedInChat, seenTextChat } from '../../../access/chatAccess.js';
import { inChat } from '../../../access/scopes.js';
import type { Call } from '../../../contract/call.js';
import { done, type Handlers } from '../../../contract/handlers.js';
import { meteredReads } from '../../../contract/meteredReads.js';
import type { Access } from '../../../contract/viewerPermissions.js';
import { historyAnswer, historyReads, type HistoryNeeds } from '../history.js';

export type PinNeeds = HistoryNeeds & {
  readonly access: Access;
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
};

type Built = 'messagesSetMessagePin' | 'messagesGetPinnedMessages';

export const pinRpcs = (needs: PinNeeds): Handlers<Built> => ({
  messagesSetMessagePin: inChat(
    needs.access,
    'read',
  )(async ({ messageId: message, pin }, call, seen) => {
    if (!has(seen.permissions, 'pinMessages')) return reject('MISSING_PERMISSION');
    const { key: chat } = seen;
    const status = await statusOf(needs, chat, message);
    // A pin that outlived its message can still be taken away.
    if (status === 'absent' || (status === 'deleted' && pin)) return reject('MESSAGE_NOT_FOUND');
    const deleted = pin ? await deletedPins(needs, call, chat) : [];
    const data = { chat, message, by: call.caller.user, pin, deleted };
    const set = askedInChat(needs.access, call, seen, ({ permissions }): PinCommand | Rejection =>
      has(permissions, 'pinMessages') ? { type: 'SetMessagePin', data } : reject('MISSING_PERMISSION'),
    );
    return done(await call.run(pins, asOfEnd(call, set)));
  }),

  messagesGetPinnedMessages: inChat(needs.access, 'read')(
    async (_, call, { key, community }) => {
      const reads = meteredReads(needs.reads, call);
      const found = await messagesById(reads, await pinsOf(reads, [key]));
      // Sight that was lost during the read would show pins that were set since.
      const still = await seenTextChat(needs.access, call, key);
      if (isRejection(still)) return still;
      return {
        messages: await historyAnswer({ ...needs, reads }, { found, page: { limit: pinsMax }, community, call }),
      };
    },
    { reads: historyReads(needs) },
  ),
});

/** By the message's own stream, because the read model may be behind. A message of another chat is absent. */
const statusOf = async ({ streams }: PinNeeds, chat: ChatKey, message: MessageId): Promise<MessageState['status']> => {
  const { state } = await streams.caughtUp(messageStream(message), messages);
  return state.status !== 'absent' && state.chat === chat ? state.status : 'absent';
};

/**
 * Pins whose messages were deleted give way when the chat has no room for another one. Until then they stand: nobody is
 * shown them, and so a deletion need not look for pins.
 */
const deletedPins = async ({ reads, streams }: PinNeeds, call: Call, chat: ChatKey): Promise<readonly MessageId[]> => {
  const { state } = await streams.caughtUp(pinStream(chat), pins);
  if (state.pinned.length < pinsMax) return [];
  // All that was deleted up to now, on any node.
  await call.upToDateWithLog('messages');
  const alive = new Set((await messagesById(reads, state.pinned)).map(({ id }) => id));
  return state.pinned.filter((message) => !alive.has(message));
};
