import { halfWidth } from './text.js';

/** In ASCII characters. */
export const usernameCharactersMax = 32;

/** The form of the releases up to 0.1. Users keep the usernames that they took in it. */
const formerForm = /^[A-Za-z0-9_.]{2,32}$/;
const form = /^[A-Za-z](?:[_.]?[A-Za-z0-9])+$/;

/** The username in a text, which may be in full-width letters; undefined when nobody can carry such a one. */
export const usernameTyped = (text: string): string | undefined => {
  if (text.length > usernameCharactersMax) return undefined;
  const username = halfWidth(text);
  return formerForm.test(username) ? username : undefined;
};

/** Whether a username can be taken: it begins with a letter, and has a letter or digit before and behind each `_` or `.`. */
export const canBeTaken = (username: string): boolean =>
  username.length <= usernameCharactersMax && form.test(username);

/** The same for all spellings of one username. */
export const usernameKeyed = (username: string): string => username.toLowerCase();
