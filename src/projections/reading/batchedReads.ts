/**
 * Turns reads that are asked for one by one into few reads of many: those of one tick go together, at most `most` at a
 * time. `read` answers in the order of the keys; a read that fails fails for all that went with it.
 */
export const batchedReads = <T>(
  read: (keys: readonly string[]) => Promise<readonly T[]>,
  most: number,
): ((key: string) => Promise<T>) => {
  let open: { readonly keys: string[]; readonly answers: Promise<readonly T[]> } | undefined;
  const begin = (): { readonly keys: string[]; readonly answers: Promise<readonly T[]> } => {
    const keys: string[] = [];
    const answers = Promise.resolve().then(() => {
      if (open === batch) open = undefined;
      return read(keys);
    });
    const batch = { keys, answers };
    return batch;
  };
  return async (key) => {
    open ??= begin();
    const { keys, answers } = open;
    const place = keys.push(key) - 1;
    if (keys.length >= most) open = undefined;
    const found = (await answers)[place];
    if (found === undefined) throw new Error('a read of many keys answered fewer than it was asked for');
    return found;
  };
};
