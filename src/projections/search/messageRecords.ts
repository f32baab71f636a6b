import type { ChatKey } from '../../kernel/chat.js';
import type { Position } from '../../kernel/event.js';
import type { UserId } from '../../kernel/ids.js';
import { after } from '../../kernel/timing.js';
import {
  bytesOfTerms,
  messageOfRecordKey,
  recordCollection,
  recordOf,
  termsOfBytes,
  type HashedTerm,
  type RecordDocument,
  type RecordedTerms,
  type RecordPlace,
} from './documents.js';
import { heldDocuments, type HeldDocuments, type HeldNeeds } from './heldDocuments.js';

/** Seals and opens bytes of a message under the keys that seal the message. */
export interface RecordSealer {
  /** Undefined when one of the keys is destroyed. */
  seal(plain: Uint8Array, of: RecordPlace): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** The same. */
  open(sealed: Uint8Array, of: RecordPlace): Promise<Uint8Array | undefined>;
}

/** The terms that each message has in the index. */
export interface MessageRecords {
  readonly held: HeldDocuments<RecordDocument>;
  /**
   * All terms under which the message may be found, before a change. `closed`: its keys are gone, or it is damaged, so
   * nobody knows.
   * The record must be loaded.
   */
  termsIn(key: string, committed: Position): Promise<readonly HashedTerm[] | 'closed'>;
  /** False when a key is destroyed: then nothing is put. */
  put(key: string, record: RecordPlace & RecordedTerms, position: Position): boolean | Promise<boolean>;
  remove(key: string, position: Position): void;
  /** See `HeldDocuments`. */
  settle(): Promise<readonly string[]>;
  clear(): void;
}

export const messageRecords = (needs: HeldNeeds & { readonly sealer: RecordSealer }): MessageRecords => {
  const { sealer } = needs;
  const held = heldDocuments<RecordDocument>(needs, {
    collection: recordCollection,
    parsed: recordOf,
    inPlaceOfDamaged: damagedRecord,
    plain: ({ chat, subject, period, sealed }) => ({
      document: { chat, subject, period, sealed },
      indexKeys: { subject: [[subject, period]] },
    }),
    bytesOf: ({ sealed }) => sealed.length,
  });
  /** Those of this commit, open. */
  const open = new Map<string, RecordedTerms>();
  const stored = async (key: string): Promise<RecordedTerms | 'closed'> => {
    const { value } = held.of(key);
    if (value === undefined) return noTerms;
    if (value === damagedRecord) return 'closed';
    const plain = await sealer.open(value.sealed, { message: messageOfRecordKey(key), ...value });
    return (plain && termsOfBytes(plain)) ?? 'closed';
  };
  return {
    held,
    termsIn: async (key, committed) => {
      const known = open.get(key);
      const found = known ?? (await stored(key));
      if (found === 'closed') return found;
      // Terms that went with a commit which came to its end are gone.
      const isOver = known === undefined && held.of(key).position <= committed;
      return isOver ? found.terms : [...found.terms, ...found.leaving];
    },
    put: (key, { terms, leaving, ...place }, position) =>
      after(sealer.seal(bytesOfTerms({ terms, leaving }), place), (sealed) => {
        if (sealed === undefined) return false;
        const { chat, subject, period } = place;
        open.set(key, { terms, leaving });
        held.set(key, { chat, subject, period, sealed }, position);
        return true;
      }),
    remove: (key, position) => {
      open.set(key, noTerms);
      held.set(key, undefined, position);
    },
    settle: () => {
      open.clear();
      return held.settle();
    },
    clear: () => {
      open.clear();
      held.clear();
    },
  };
};

/** Says nothing but that there is a record. */
const damagedRecord: RecordDocument = {
  chat: '' as ChatKey,
  subject: 0n as UserId,
  period: '',
  sealed: new Uint8Array(0),
};
const noTerms: RecordedTerms = { terms: [], leaving: [] };
