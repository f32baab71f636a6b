import type { EditedContent, MessageCommand } from '../../../domain/messages/commands.js';
import { mediaOf } from '../../../domain/messages/attached.js';
import { messages } from '../../../domain/messages/decide.js';
import { messageStream } from '../../../domain/messages/events.js';
import type { AliveMessage } from '../../../domain/messages/state.js';
import type { EditMessage } from '../../../gen/messages.js';
import { nothing } from '../../../gen/rpcs.js';
import { isRejection, reject, type Rejection } from '../../../kernel/decider.js';
import { defined } from '../../../kernel/defined.js';
import { isShredded, opened, unless } from '../../../kernel/opened.js';
import { has, permission } from '../../../kernel/permissions.js';
import { history, messagesById } from '../../../projections/messages/queries.js';
import { usableEmoji, whileUsable, type EmojiOrigins } from '../../access/usableEmoji.js';
import { asOfEnd } from '../../access/askedAtAppend.js';
import { askedInChat, seenTextChat, type SeenChat } from '../../access/chatAccess.js';
import { inChat } from '../../access/scopes.js';
import type { Call } from '../../contract/call.js';
import { done, type Handlers } from '../../contract/handlers.js';
import { meteredReads } from '../../contract/meteredReads.js';
import { customEmojiIn } from '../../rendering/entities.js';
import { forwarder } from './forwarding/forwarding.js';
import { historyAnswer, historyBytesMax, historyReads } from './history.js';
import { attached } from './media.js';
import { searched, type SearchNeeds } from './search.js';
import { suppression } from './previews/suppression.js';
import { mentionsIn } from './sending/mentions.js';
import { wantsBotInfo } from './sending/botInfo.js';
import { sender, type SendingNeeds } from './sending/sending.js';
import { slowmode } from './sending/slowmode.js';
import { contentOf, editingOf, pageOf, sendingOf, type Editing } from './wire.js';

export type MessageNeeds = SendingNeeds & SearchNeeds;

type Built =
  | 'messagesSendMessage'
  | 'messagesForwardMessage'
  | 'messagesGetHistory'
  | 'messagesEditMessage'
  | 'messagesDeleteMessage'
  | 'messagesSearch';

export const messageRpcs = (needs: MessageNeeds): Handlers<Built> => {
  // Those who send and those who forward take turns in slow mode.
  const slow = slowmode(needs.reads);
  const send = sender(needs, slow);
  return {
    messagesForwardMessage: forwarder(needs, slow),

    async messagesSendMessage(request, call) {
      if (wantsBotInfo(request.botInfo) && call.caller.bot !== true) return reject('NOT_A_BOT');
      const sending = sendingOf(request, call);
      if (isRejection(sending)) return sending;
      const sent = await send(call, sending);
      return isRejection(sent) ? sent : { sentMessage: { messageId: sent } };
    },

    messagesGetHistory: inChat(needs.access, 'read')(
      async (request, call, { key, community }) => {
        const page = pageOf(request);
        const reads = meteredReads(needs.reads, call);
        const found = await history(reads, key, { bytesMax: historyBytesMax, ...page });
        // Sight that was lost during the read would show messages that were sent since.
        const still = await seenTextChat(needs.access, call, key);
        if (isRejection(still)) return still;
        return { messages: await historyAnswer({ ...needs, reads }, { found, page, community, call }) };
      },
      { reads: historyReads(needs) },
    ),

    messagesSearch: inChat(needs.access, 'read')((request, call, seen) => searched(needs, request, call, seen), {
      reads: historyReads(needs),
    }),

    messagesEditMessage: inChat(
      needs.access,
      'read',
    )(async (request, call, seen) => {
      const { user: by } = call.caller;
      if (request.buttons !== undefined && call.caller.bot !== true) return reject('NOT_A_BOT');
      const refused = refusedEdit(request, seen.permissions);
      if (refused !== undefined) return refused;
      const editing = editingOf(request, call);
      if (isRejection(editing)) return editing;
      const { chat, message, buttons } = editing;
      const content = await editedContent(needs, call, seen, editing);
      if (isRejection(content)) return content;
      const emojiOf = await newEmojiOf(needs, call, editing, content);
      if (isRejection(emojiOf)) return emojiOf;
      const suppressEmbeds = request.suppressEmbeds ? true : undefined;
      const data = { message, chat, by, at: call.now, ...defined({ content, buttons, suppressEmbeds }) };
      const edit = askedInChat(
        needs.access,
        call,
        seen,
        (now): MessageCommand | Rejection => refusedEdit(request, now.permissions) ?? { type: 'EditMessage', data },
      );
      const rights = { chat, needs: rightsForEdit(request) };
      const edited = await call.run(messages, whileUsable(needs.access, call, emojiOf, edit), { rights });
      return done(isRejection(edited) ? edited : await suppression(needs, call, seen, { request, edited }));
    }),

    messagesDeleteMessage: inChat(needs.access, 'read')(
      async ({ messageIds }, call, seen) => (await deleteAll(needs, call, seen, [...new Set(messageIds)])) ?? nothing,
      { reads: ['messages'] },
    ),
  };
};

/**
 * Only the author edits a message, and only as long as they could send it: otherwise a member who lost the right could
 * go on writing in old messages. An edit that changes no content, as hiding previews does, needs no right.
 */
const refusedEdit = (request: EditMessage, permissions: bigint): Rejection | undefined => {
  const needs = rightsForEdit(request);
  return (permissions & needs) === needs ? undefined : reject('MISSING_PERMISSION');
};

/** The bits of the rights in the chat that an edit takes. */
const rightsForEdit = ({ message: text, entities, media, removeMedia, buttons }: EditMessage): bigint => {
  const changesText = text !== undefined || entities.length > 0 || buttons !== undefined;
  const changesContent = changesText || media.length > 0 || removeMedia;
  return (changesContent ? permission.sendMessages : 0n) | (media.length > 0 ? permission.sendMedia : 0n);
};

/**
 * All of them or, when one is refused, none. A client names messages that it read or was sent, and the read model has
 * those, at the latest once it has all that is in the log now; their chat and author never change.
 */
const deleteAll = async (
  needs: MessageNeeds,
  call: Call,
  { key: chat }: SeenChat,
  ids: Parameters<typeof messagesById>[1],
): Promise<Rejection | undefined> => {
  const { user: by } = call.caller;
  const found = (await foundById(needs, call, ids)).filter((message) => message.chat === chat);
  // Looked at after the wait, during which the right may have gone.
  const seen = await seenTextChat(needs.access, call, chat);
  if (isRejection(seen)) return seen;
  const mayDeleteOthers = has(seen.permissions, 'deleteMessages');
  if (!mayDeleteOthers && found.some(({ author }) => author !== by)) return reject('NOT_AUTHOR');
  const deletion = askedInChat(needs.access, call, seen, ({ permissions }): readonly MessageCommand[] => {
    const data = { chat, by, mayDeleteOthers: has(permissions, 'deleteMessages') };
    return found.map(({ id: message }) => ({ type: 'DeleteMessage', data: { message, ...data } }));
  });
  // An announcement is about its author, who may delete it only with the right to delete those of others.
  const ownAlone = found.every(({ author, announces }) => author === by && announces === undefined);
  const outcome = await call.run(messages, ownAlone ? deletion : asOfEnd(call, deletion));
  return isRejection(outcome) ? outcome : undefined;
};

/**
 * A message that one connection of a user was sent may be asked for over another one, on a node that is still behind.
 */
const foundById = async (
  { reads }: MessageNeeds,
  call: Call,
  ids: Parameters<typeof messagesById>[1],
): ReturnType<typeof messagesById> => {
  const found = await messagesById(reads, ids);
  if (found.length === ids.length) return found;
  await call.upToDateWithLog('messages');
  return messagesById(reads, ids);
};

/** Undefined when nothing is to be changed; a caller who may not change anything then still hears it from the rules. */
const editedContent = async (
  needs: MessageNeeds,
  call: Call,
  seen: SeenChat,
  editing: Editing,
): Promise<EditedContent | Rejection | undefined> => {
  const { change } = editing;
  if (change === undefined) return undefined;
  const written = await editedText(needs, call, seen, editing);
  if (written === undefined || isRejection(written)) return written;
  // Making files and following links is work, which is not begun for a message that the caller may not edit.
  if (change.media === undefined) return written;
  const own = await ownMessage(needs, call, editing);
  if (own === undefined) return undefined;
  const media = await attached(needs, call, { attaching: change.media, before: mediaOf(own), beside: [written] });
  return isRejection(media) ? media : { ...written, media };
};

/** An edit may keep the custom emoji that the message has, also those that were removed. */
const newEmojiOf = async (
  needs: MessageNeeds,
  call: Call,
  editing: Editing,
  content: EditedContent | undefined,
): Promise<EmojiOrigins | Rejection> => {
  const used = customEmojiIn(content?.entities ?? []);
  const kept = used.length === 0 ? undefined : await ownMessage(needs, call, editing);
  if (kept === undefined) return [];
  const had = customEmojiIn(unless(kept.entities, []));
  return usableEmoji(
    needs,
    call,
    used.filter((emoji) => !had.includes(emoji)),
  );
};

/** The text after the edit; undefined when the message is not the caller's to edit. */
const editedText = async (
  needs: MessageNeeds,
  call: Call,
  seen: SeenChat,
  editing: Editing,
): Promise<Omit<EditedContent, 'media'> | Rejection | undefined> => {
  const { written: given } = editing.change ?? {};
  if (given !== undefined && 'text' in given) return naming(needs, call, seen, { ...given, keepsText: false });
  const kept = await ownMessage(needs, call, editing);
  const text = kept && opened(kept.text);
  if (kept === undefined || text === undefined || isShredded(text)) return undefined;
  if (given === undefined) {
    return { text, entities: unless(kept.entities, []), mentions: kept.mentions, keepsText: true };
  }
  const written = contentOf(call, text, given.entities);
  return isRejection(written) ? written : naming(needs, call, seen, { ...written, keepsText: true });
};

const naming = async (
  needs: MessageNeeds,
  call: Call,
  seen: SeenChat,
  written: Omit<EditedContent, 'media' | 'mentions'>,
): Promise<Omit<EditedContent, 'media'> | Rejection> => {
  const mentions = await mentionsIn(needs, written, { author: call.caller.user, meter: call.meter, ...seen });
  return isRejection(mentions) ? mentions : { mentions, ...written };
};

/** The message as it is now. Undefined when it is not the caller's to edit. */
const ownMessage = async (
  { streams }: MessageNeeds,
  { caller }: Call,
  { message, chat }: Editing,
): Promise<AliveMessage | undefined> => {
  const { state } = await streams.caughtUp(messageStream(message), messages);
  return state.status === 'alive' && state.chat === chat && state.author === caller.user ? state : undefined;
};
