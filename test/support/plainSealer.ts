import { createHash } from 'node:crypto';
import { shredded } from '../../src/kernel/opened.js';
import { KeysMissing, type SealBinding, type Sealer } from '../../src/kernel/ports/sealer.js';

export type PlainSealer = Sealer & {
  /** From here on nothing of this subject or scope opens. */
  shred(name: string): void;
  /** Forgets all keys in memory, so that the next use asks for them. */
  forget(): void;
};

/**
 * Seals without secrecy: what was sealed can be read in a failing test. It keeps the port's promises that matter to
 * callers: keys must be loaded, bindings must match, shredded names open no more.
 */
export const plainSealer = (): PlainSealer => {
  const held = new Set<string>();
  const gone = new Set<string>();
  const listeners: (() => void)[] = [];
  const namesOf = ({ subject, scope }: SealBinding): readonly string[] =>
    subject === undefined ? [scope] : [subject, scope];
  const missing = (binding: SealBinding): readonly string[] => namesOf(binding).filter((name) => !held.has(name));
  const hold = (names: readonly string[]): Promise<void> => {
    for (const name of names) held.add(name);
    return Promise.resolve();
  };
  return {
    seal: (plain, binding, period) => {
      const names = missing(binding);
      if (names.length > 0) return new KeysMissing(names);
      const bound = Buffer.from(JSON.stringify(binding)).toString('base64url');
      return `plain.${period}.${bound}.${Buffer.from(plain).toString('base64url')}`;
    },
    packed: (sealed) => Buffer.from(sealed),
    heldUntil: (_, binding) => {
      const names = missing(binding);
      if (names.length > 0) return new KeysMissing(names);
      return namesOf(binding).some((name) => gone.has(name)) ? shredded : Infinity;
    },
    onForgotten: (listener) => {
      listeners.push(listener);
    },
    open: (packed, binding) => {
      const sealed = Buffer.from(packed).toString();
      const names = missing(binding);
      if (names.length > 0) return new KeysMissing(names);
      if (namesOf(binding).some((name) => gone.has(name))) return shredded;
      const [, , bound = '', plain = ''] = sealed.split('.');
      const expected = Buffer.from(JSON.stringify(binding)).toString('base64url');
      if (bound !== expected) throw new Error(`sealed for ${Buffer.from(bound, 'base64url').toString()}`);
      return new Uint8Array(Buffer.from(plain, 'base64url'));
    },
    loadKeys: hold,
    makeKeys: hold,
    periodOf: (packed) => Buffer.from(packed).toString().split('.')[1],
    hasherOf: (scope) => {
      if (gone.has(scope)) return shredded;
      if (!held.has(scope)) return new KeysMissing([scope]);
      return (value) => createHash('sha256').update(`${scope} ${value}`).digest().toString('base64url', 0, 9);
    },
    lookupHash: (value) => `hash-of-${Buffer.from(value).toString('hex')}`,
    shred: (name) => {
      gone.add(name);
      for (const listener of listeners) listener();
    },
    forget: () => {
      held.clear();
      for (const listener of listeners) listener();
    },
  };
};
