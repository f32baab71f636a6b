/** A request to the plain server of files is its kind, the number of a part in 4 bytes, and the part where it is stored. */
export const plainKind = { store: 1, load: 2 } as const;

export const plainRequestBytes = 5;
