import { Misshapen, type Json } from './schema.js';

/**
 * The only way in `src` to parse JSON, because the errors of `JSON.parse` quote the text that they refuse, which may be
 * personal, and errors are logged. Throws `Misshapen`, which says the length alone.
 */
export const parsedJson = (text: string): Json => {
  try {
    return JSON.parse(text) as Json;
  } catch {
    // Without the former error as its cause, which would be logged with it.
    throw new Misshapen('JSON', text);
  }
};
