import emojiRegex from 'emoji-regex';

/** Of an emoji as a client sends it, in UTF-16 code units. Far above the longest emoji that Unicode lists. */
export const emojiUnitsMax = 64;

/**
 * The emoji in its fully-qualified form of UTS #51, so that `❤` and `❤️` are one reaction; skin tones stay apart.
 * Undefined when the text is not exactly one emoji. The package is asked because the platform's `\p{RGI_Emoji}` refuses
 * emoji without their variation selectors, which is how many keyboards write them.
 */
export const qualifiedEmoji = (text: string): string | undefined => {
  if (text.length > emojiUnitsMax) return undefined;
  const characters = Array.from(text).filter((character) => character !== emojiSelector);
  const qualified = characters.map((character, index) => qualifiedAt(character, characters[index + 1])).join('');
  return emojiRegex().exec(qualified)?.[0] === qualified ? qualified : undefined;
};

const emojiSelector = '\ufe0f';
/** Emoji that are shown as text unless a selector or a skin tone follows. Unicode adds no more of them. */
const textByDefault = /^(?=\p{Emoji})\P{Emoji_Presentation}$/u;
const skinTone = /^\p{Emoji_Modifier}$/u;

const qualifiedAt = (character: string, next = ''): string =>
  textByDefault.test(character) && !skinTone.test(next) ? character + emojiSelector : character;
