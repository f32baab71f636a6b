import { messages } from '../../../../domain/messages/decide.js';
import { messageStream, type MessageEvent } from '../../../../domain/messages/events.js';
import type { PreviewCommand } from '../../../../domain/previews/commands.js';
import { previews } from '../../../../domain/previews/decide.js';
import type { EditMessage } from '../../../../gen/messages.js';
import type { Rejection } from '../../../../kernel/decider.js';
import type { Done } from '../../../../kernel/execute.js';
import type { FoldedStreams } from '../../../../kernel/foldedStreams.js';
import type { Access } from '../../../contract/viewerPermissions.js';
import { askedInChat, type SeenChat } from '../../../access/chatAccess.js';
import type { Call } from '../../../contract/call.js';

export type SuppressionNeeds = { readonly streams: Pick<FoldedStreams, 'caughtUp'>; readonly access: Access };

/**
 * The part of an edit about previews, once the rules have let the caller edit the message. The field has no presence, and
 * older clients leave it out: beside anything else `false` leaves previews as they are, alone it allows them. An edit
 * that changed the message has paid for both; one that did not is refused here when it comes too early, and has changed
 * nothing then.
 */
export const suppression = async (
  { streams, access }: SuppressionNeeds,
  call: Call,
  seen: SeenChat,
  { request, edited }: { readonly request: EditMessage; readonly edited: Pick<Done<MessageEvent>, 'events'> },
): Promise<object | Rejection> => {
  const { messageId: message, suppressEmbeds } = request;
  if (!suppressEmbeds && changesContent(request)) return {};
  const { state } = await streams.caughtUp(messageStream(message), messages);
  // It was deleted since.
  if (state.status !== 'alive') return {};
  const data = {
    ...{ message, chat: seen.key, author: call.caller.user },
    sentSuppressed: state.suppressEmbeds === true,
    ...(edited.events.length === 0 && { at: call.now }),
  };
  const type = suppressEmbeds ? 'SuppressPreviews' : 'AllowPreviews';
  return call.run(
    previews,
    askedInChat(access, call, seen, (): PreviewCommand => ({ type, data })),
  );
};

const changesContent = ({ message, entities, media, removeMedia, buttons }: EditMessage): boolean =>
  message !== undefined || buttons !== undefined || entities.length > 0 || media.length > 0 || removeMedia;
