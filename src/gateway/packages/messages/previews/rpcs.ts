import { isRejection, reject } from '../../../../kernel/decider.js';
import type { LinkPreviews } from '../../../../kernel/ports/linkPreviews.js';
import type { Handlers } from '../../../contract/handlers.js';
import { embedFor } from '../../../rendering/embed.js';
import { passingContentOf } from '../wire.js';

export type PreviewNeeds = { readonly linkPreviews: LinkPreviews };

/**
 * A client shows the preview of a message while it is being written. Nothing of the server is read or changed. A page
 * that cannot be had, or that this server does not ask for, is shown as the link alone.
 */
export const previewRpcs = ({ linkPreviews }: PreviewNeeds): Handlers<'messagesGetEmbedPreview'> => ({
  messagesGetEmbedPreview: async ({ message, entities }, call) => {
    const words = passingContentOf(call, message, entities);
    if (isRejection(words)) return words;
    const link = await linkPreviews.linkIn(words);
    if (link === undefined) return reject('NOT_FOUND', 'the text has no link');
    const preview = await linkPreviews.previewOf(link, call.caller.user);
    if (preview === 'busy') return reject('RATE_LIMITED', 'previews of links');
    return { mediaEmbed: embedFor(preview === 'none' ? { url: link } : preview) };
  },
});
