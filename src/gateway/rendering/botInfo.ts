import type { BotInfo, Button } from '../../domain/messages/botInfo.js';
import { chatPhoto } from './photo.js';
import type { MessageBotInfoInit, MessageButtonInit } from '../../gen/types.js';

export const botInfoFor = ({ cloak, cloakPhoto, buttons }: BotInfo): MessageBotInfoInit => ({
  ...(cloak === undefined
    ? {}
    : { cloak: { name: cloak, ...(cloakPhoto && { photo: chatPhoto(cloakPhoto.file, cloakPhoto) }) } }),
  ...(buttons === undefined ? {} : { buttons: { rows: buttons.map((row) => ({ buttons: row.map(buttonFor) })) } }),
});

const buttonFor = ({ label, url, interaction, clipboard }: Button): MessageButtonInit => {
  if (url !== undefined) return { label, url: { url } };
  return clipboard === undefined
    ? { label, interaction: { data: interaction ?? '' } }
    : { label, clipboard: { text: clipboard } };
};
