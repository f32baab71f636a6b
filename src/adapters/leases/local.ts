import type { IdMark, Lease, Leases } from '../../kernel/ports/leases.js';

/** Leases of one process that shares nothing with others: granted at once, held until they are released. */
export const localLeases = (mark: Required<IdMark>): Leases => {
  const held = new Map<string, Lease>();
  const notes = new Map<string, bigint>();
  const grant = (name: string): Lease => {
    const isMine = (): boolean => held.get(name) === lease;
    const leave = (note: bigint | undefined): void => {
      if (note !== undefined && isMine()) notes.set(name, note);
    };
    const lease: Lease = {
      name,
      fence: undefined,
      note: notes.get(name) ?? 0n,
      renew: (note) => {
        leave(note);
        return Promise.resolve(isMine());
      },
      release: (note) => {
        leave(note);
        if (isMine()) held.delete(name);
        return Promise.resolve();
      },
    };
    held.set(name, lease);
    return lease;
  };
  return {
    take: (name) => Promise.resolve(held.has(name) ? undefined : grant(name)),
    time: () => Promise.resolve(undefined),
    mark,
    close: () => Promise.resolve(),
  };
};
