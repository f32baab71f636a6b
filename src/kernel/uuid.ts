/**
 * Of 32 hexadecimal digits. Joined, because a text that is made by a template keeps its parts for as long as it is kept
 * itself, which here takes 450 bytes in the place of 56.
 */
export const uuidOf = (hex: string): string =>
  [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
