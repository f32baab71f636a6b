export const nameBytesMax = 500;

/** Throws unless it is a name that a vault on a disk can hold. */
export const checkedName = (name: string): string => {
  const bytes = Buffer.byteLength(name);
  if (bytes === 0 || bytes > nameBytesMax) throw new Error(`a name takes 1 to ${nameBytesMax.toString()} bytes`);
  return name;
};
