/** A text of somebody else's on one line of a terminal: nothing in it moves the cursor, colours or reverses what follows. */
export const printable = (text: string): string =>
  text.replace(/\r?\n|\t/g, ' ').replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, '\ufffd');
