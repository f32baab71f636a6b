import { messages } from '../../../domain/messages/decide.js';
import { messageStream } from '../../../domain/messages/events.js';
import type { MessageState } from '../../../domain/messages/state.js';
import type { ReactionCommand } from '../../../domain/reactions/commands.js';
import { reactions } from '../../../domain/reactions/decide.js';
import { customEmojiOf, type Reaction } from '../../../domain/reactions/events.js';
import { nothing } from '../../../gen/rpcs.js';
import { isRejection, reject, type Rejection } from '../../../kernel/decider.js';
import type { FoldedStreams } from '../../../kernel/foldedStreams.js';
import type { FileId, MessageId } from '../../../kernel/ids.js';
import { has, permission } from '../../../kernel/permissions.js';
import type { Reads } from '../../../projections/reading/queries.js';
import { askedInChat, type SeenChat } from '../../access/chatAccess.js';
import { usableEmoji, whileUsable } from '../../access/usableEmoji.js';
import { inChat } from '../../access/scopes.js';
import type { Call } from '../../contract/call.js';
import { done, type Handlers } from '../../contract/handlers.js';
import type { Access } from '../../contract/viewerPermissions.js';
import { emojiBound } from './emojiBound.js';
import { reactionIn } from './wire.js';

export type ReactionNeeds = {
  readonly access: Access;
  readonly reads: Reads;
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
};

type Built = 'reactionsAddReaction' | 'reactionsRemoveReaction';

export const reactionRpcs = (needs: ReactionNeeds): Handlers<Built> => {
  const withinBound = emojiBound(needs.reads);
  return {
    reactionsAddReaction: inChat(
      needs.access,
      'read',
    )(async (request, call, chat) => {
      const reaction = reactionIn(request);
      if (isRejection(reaction)) return reaction;
      if (!has(chat.permissions, 'addReactions')) return reject('MISSING_PERMISSION');
      const { messageId: message } = request;
      if ((await statusOf(needs, chat, message)) !== 'alive') return reject('MESSAGE_NOT_FOUND');
      // A user who joins a reaction uses its emoji as well.
      const emojiOf = await usableEmoji(needs, call, emojiIn(reaction));
      if (isRejection(emojiOf)) return emojiOf;
      const data = { message, chat: chat.key, user: call.caller.user, reaction };
      const add = askedInChat(needs.access, call, chat, (now): ReactionCommand | Rejection =>
        has(now.permissions, 'addReactions') ? { type: 'AddReaction', data } : reject('MISSING_PERMISSION'),
      );
      const usable = whileUsable(needs.access, call, emojiOf, add);
      const rights = { chat: chat.key, needs: permission.addReactions };
      const outcome = await withinBound(call, data, () => call.run(reactions, usable, { rights }));
      if (isRejection(outcome)) return outcome;
      if ((await statusOf(needs, chat, message)) === 'alive') return nothing;
      // The deletion came between. Its reactions are removed once, so the late one must not be left.
      await run(call, { type: 'RemoveReaction', data });
      return reject('MESSAGE_NOT_FOUND');
    }),

    // Taking back needs no right: members who may not react any more can still do it, and with an emoji that is gone.
    reactionsRemoveReaction: inChat(
      needs.access,
      'read',
    )(async (request, call, chat) => {
      const reaction = reactionIn(request);
      if (isRejection(reaction)) return reaction;
      const { messageId: message } = request;
      const status = await statusOf(needs, chat, message);
      if (status === 'absent') return reject('MESSAGE_NOT_FOUND');
      if (status === 'deleted') return nothing;
      const data = { message, chat: chat.key, user: call.caller.user, reaction };
      return done(await run(call, { type: 'RemoveReaction', data }));
    }),
  };
};

const emojiIn = (reaction: Reaction): readonly FileId[] => {
  const emoji = customEmojiOf(reaction);
  return emoji === undefined ? [] : [emoji];
};

const run = (call: Call, command: ReactionCommand) => call.run(reactions, command);

/** By the message's own stream, because the read model may be behind. A message of another chat is absent. */
const statusOf = async (
  { streams }: ReactionNeeds,
  { key: chat }: SeenChat,
  message: MessageId,
): Promise<MessageState['status']> => {
  const { state } = await streams.caughtUp(messageStream(message), messages);
  return state.status !== 'absent' && state.chat === chat ? state.status : 'absent';
};
