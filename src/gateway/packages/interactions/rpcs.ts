import { buttonsOf } from '../../../domain/messages/botInfo.js';
import { botInfoOf, messages } from '../../../domain/messages/decide.js';
import { messageStream } from '../../../domain/messages/events.js';
import { nothing } from '../../../gen/rpcs.js';
import type { ChatKey } from '../../../kernel/chat.js';
import { isRejection, reject, type Rejection } from '../../../kernel/decider.js';
import type { FoldedStreams } from '../../../kernel/foldedStreams.js';
import type { MessageId, UserId } from '../../../kernel/ids.js';
import { isVisible } from '../../../kernel/text.js';
import { seenTextChat } from '../../access/chatAccess.js';
import { inChat } from '../../access/scopes.js';
import type { Handlers } from '../../contract/handlers.js';
import type { Access } from '../../contract/viewerPermissions.js';
import type { Interactions } from '../../presence/interactions.js';

export type InteractionRpcNeeds = {
  readonly access: Access;
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
  readonly interactions: Pick<Interactions, 'press' | 'answer'>;
};

/** Of the words that a bot answers a press with, in UTF-16 code units. */
export const answerUnitsMax = 2_000;

export const interactionRpcs = (
  needs: InteractionRpcNeeds,
): Handlers<'messagesSubmitInteraction' | 'messagesSetInteractionResponse'> => ({
  messagesSubmitInteraction: inChat(
    needs.access,
    'read',
  )(async ({ messageId: message, data = '' }, call, { key: chat }) => {
    const bot = await botWithButton(needs, { chat, message, data });
    if (isRejection(bot)) return bot;
    const answer = await needs.interactions.press(call, { bot, chat, message, data });
    if (isRejection(answer)) return answer;
    // Sight that was lost while the bot answered.
    const still = await seenTextChat(needs.access, call, chat);
    return isRejection(still) ? still : { interactionResponse: answer };
  }),

  async messagesSetInteractionResponse({ interactionId, message }, { caller }) {
    // Nobody else is ever asked.
    if (caller.bot !== true) return reject('INTERACTION_NOT_FOUND');
    if (message !== undefined && message.length > answerUnitsMax) return reject('MESSAGE_TOO_LONG');
    // Clients fill in empty texts for what was left out.
    const words = message === undefined || message === '' ? {} : { message };
    if (words.message !== undefined && !isVisible(words.message)) return reject('EMPTY_MESSAGE');
    return (await needs.interactions.answer(caller.user, interactionId, words)) ?? nothing;
  },
});

type Pressed = { readonly chat: ChatKey; readonly message: MessageId; readonly data: string };

/** Asked of the message's own stream: the read model may be behind, and shows buttons that were taken away since. */
const botWithButton = async (
  { streams }: Pick<InteractionRpcNeeds, 'streams'>,
  { chat, message, data }: Pressed,
): Promise<UserId | Rejection> => {
  const { state } = await streams.caughtUp(messageStream(message), messages);
  if (state.status !== 'alive' || state.chat !== chat) return reject('MESSAGE_NOT_FOUND');
  const buttons = buttonsOf(botInfoOf(state)).flat();
  if (buttons.length === 0) return reject('MESSAGE_NOT_FOUND', 'it has no buttons');
  const isThere = buttons.some(({ interaction }) => interaction === data);
  return isThere ? state.author : reject('INVALID_ARGUMENT', 'no button of the message has this data');
};
