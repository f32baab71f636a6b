import type { BotInfo, Button, Buttons } from '../../../../domain/messages/botInfo.js';
import { nameUnitsMax } from '../../../../domain/users/decide.js';
import type { MessageButton, SendMessageBotInfo, SendMessageBotInfoButtons } from '../../../../gen/messages.js';
import { isRejection, reject, type Rejection } from '../../../../kernel/decider.js';
import type { FileId } from '../../../../kernel/ids.js';
import { displayName } from '../../../../kernel/displayName.js';
import { linkFault } from '../../../rendering/links.js';

/** Of a button, in UTF-16 code units; it has one at least. */
export const labelUnitsMax = 80;
/** Of an interaction, in bytes of UTF-8; there may be none. */
export const interactionBytesMax = 100;
/** In UTF-16 code units; it has one at least. */
export const clipboardUnitsMax = 1_000;
/** In UTF-16 code units. */
export const buttonUrlUnitsMax = 2_048;
/** All buttons of a message, as UTF-8 JSON: an event must stay below `eventBytesMax`, and an edit carries them on. */
export const buttonsBytesMax = 20_000;

/** Undefined where there is neither a cloak nor a button. */
export const botInfoOf = (wire: SendMessageBotInfo | undefined): BotInfo | Rejection | undefined => {
  const cloak = cloakOf(wire?.cloak);
  if (isRejection(cloak)) return cloak;
  const buttons = buttonsFrom(wire?.buttons) ?? [];
  if (isRejection(buttons)) return buttons;
  if (cloak === undefined && buttons.length === 0) return undefined;
  return { ...(cloak !== undefined && { cloak }), ...(buttons.length > 0 && { buttons }) };
};

/** Undefined for a cloak without a photo; 0 is none. */
export const cloakPhotoAsked = (wire: SendMessageBotInfo | undefined): FileId | undefined =>
  wire?.cloak?.photoId === 0n ? undefined : wire?.cloak?.photoId;

/** Whether the request asks for what only bots may have. */
export const wantsBotInfo = (wire: SendMessageBotInfo | undefined): boolean =>
  wire?.cloak !== undefined || (wire?.buttons?.rows.length ?? 0) > 0;

const cloakOf = (wire: SendMessageBotInfo['cloak']): string | Rejection | undefined => {
  if (wire === undefined) return undefined;
  return displayName(wire.name, nameUnitsMax);
};

/** Undefined where the request says nothing of buttons; an empty list where there are to be none. */
export const buttonsFrom = (wire: SendMessageBotInfoButtons | undefined): Buttons | Rejection | undefined => {
  if (wire === undefined) return undefined;
  const rows: (readonly Button[])[] = [];
  for (const { buttons } of wire.rows) {
    if (buttons.length === 0) return reject('INVALID_BUTTONS', 'a row has no button');
    const row: Button[] = [];
    for (const one of buttons) {
      const button = buttonOf(one);
      if (isRejection(button)) return button;
      row.push(button);
    }
    rows.push(row);
  }
  const isTooLarge = Buffer.byteLength(JSON.stringify(rows)) > buttonsBytesMax;
  return isTooLarge ? reject('INVALID_BUTTONS', `they exceed ${buttonsBytesMax.toString()} bytes`) : rows;
};

const buttonOf = (wire: MessageButton): Button | Rejection => {
  const label = wire.label.length > labelUnitsMax ? undefined : displayName(wire.label, labelUnitsMax);
  if (label === undefined || isRejection(label)) return reject('INVALID_BUTTONS', 'a label has 1 to 80 UTF-16 units');
  const action = actionOf(wire);
  return isRejection(action) ? action : { label, ...action };
};

/** The decoder takes the last of several actions, so there is one at most. */
const actionOf = ({ url, interaction, clipboard }: MessageButton): Omit<Button, 'label'> | Rejection => {
  if (url !== undefined)
    return isWebLink(url.url) ? { url: url.url } : reject('INVALID_BUTTONS', 'no http or https link');
  if (interaction !== undefined) {
    const isShort = Buffer.byteLength(interaction.data) <= interactionBytesMax;
    return isShort
      ? { interaction: interaction.data }
      : reject('INVALID_BUTTONS', 'interaction data has 100 bytes at most');
  }
  if (clipboard === undefined) return reject('INVALID_BUTTONS', 'a button has no action');
  const isFit = clipboard.text.length > 0 && clipboard.text.length <= clipboardUnitsMax;
  return isFit
    ? { clipboard: clipboard.text }
    : reject('INVALID_BUTTONS', 'a text to copy has 1 to 1,000 UTF-16 units');
};

// Bounded before it is parsed.
const isWebLink = (url: string): boolean =>
  url.length <= buttonUrlUnitsMax && /^https?:\/\//i.test(url) && linkFault(url) === undefined;
