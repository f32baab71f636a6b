import type { FileId } from '../../kernel/ids.js';
import { added, count, id, list, optional, shape, text, type Value } from '../../kernel/schema.js';

/** A button has exactly one of these: a link, the data of an interaction, or a text for the clipboard. */
const button = shape({ label: text, url: optional(text), interaction: optional(text), clipboard: optional(text) });
export type Button = Value<typeof button>;

/** By rows, from the top; each has one button at least. */
export type Buttons = readonly (readonly Button[])[];

/** The file of a photo as a message keeps it: `key` opens its bytes, `thumb` is shown until they are there; in base64url. */
const cloakPhoto = shape({ file: id<FileId>('file'), key: text, bytes: count, mimetype: text, thumb: text });
export type CloakPhoto = Value<typeof cloakPhoto>;

/**
 * A part that messages of bots alone have: `cloak`, a name that is shown in the place of the bot's own, with a photo where it has one, and
 * buttons.
 */
export const botInfo = shape({
  cloak: optional(text),
  cloakPhoto: added(cloakPhoto),
  buttons: optional(list(list(button))),
});
export type BotInfo = Value<typeof botInfo>;

/** The fields of an event with it. None for a message without. */
export const withBotInfo = (
  info: BotInfo | undefined,
): { readonly botInfo: BotInfo; readonly hasBotInfo: true } | object =>
  info === undefined ? {} : { botInfo: info, hasBotInfo: true };

export const buttonsOf = (info: BotInfo | undefined): Buttons => info?.buttons ?? [];

/** The same with these buttons, which may be none. */
export const withButtons = (info: BotInfo | undefined, buttons: Buttons): BotInfo | undefined => {
  const { buttons: _, ...kept } = info ?? {};
  const after = { ...kept, ...(buttons.length > 0 && { buttons }) };
  return Object.keys(after).length === 0 ? undefined : after;
};

/** Whether both show the same. */
export const isSameBotInfo = (one: BotInfo | undefined, other: BotInfo | undefined): boolean =>
  (one === undefined) === (other === undefined) &&
  (one === undefined ||
    other === undefined ||
    JSON.stringify(botInfo.encode(one)) === JSON.stringify(botInfo.encode(other)));
