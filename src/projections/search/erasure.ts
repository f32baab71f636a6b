import { isChatKey, type ChatKey } from '../../kernel/chat.js';
import type { MessageId } from '../../kernel/ids.js';
import type { Timers } from '../../kernel/ports/leases.js';
import type { DestroyedKey } from '../../kernel/ports/sealer.js';
import {
  chatPrefixOf,
  chatPrefixOfKey,
  headCollection,
  messageOfRecordKey,
  recordCollection,
  type ChatPrefix,
} from './documents.js';
import type { PostingIndex, SearchStore } from './postingIndex.js';

export type ErasureNeeds = {
  readonly store: SearchStore;
  readonly timers: Pick<Timers, 'now'>;
  /** All that were ever destroyed, in some order. */
  readonly destroyed: () => AsyncIterable<DestroyedKey>;
  readonly breath: () => Promise<void> | undefined;
};

/** Takes out of the index all that stands under keys that are destroyed. */
export interface Erasure {
  /** Somebody said that keys were destroyed. */
  soon(this: void): void;
  isDue(): boolean;
  /** Only when nothing is dirty. */
  run(index: PostingIndex): Promise<void>;
}

/** The register of destroyed keys is gone through so often, because another node may not have said so. */
export const registerMillis = 600_000;
/** And once more after keys were destroyed, when nobody can hold them any more and index a message by them. */
export const onceMoreMillis = 120_000;
export const recordsPerSweep = 2_000;

export const erasure = (needs: ErasureNeeds): Erasure => {
  const { now } = needs.timers;
  let due = now();
  let onceMore = Infinity;
  return {
    soon: () => {
      due = now();
      onceMore = due + onceMoreMillis;
    },
    isDue: () => now() >= Math.min(due, onceMore),
    run: async (index) => {
      if (now() >= onceMore) onceMore = Infinity;
      due = now() + registerMillis;
      for (const [chat, messages] of index.takeClosed()) await index.sweepClosed(chat, messages);
      for await (const key of needs.destroyed()) {
        if (key.kind === 'author') await sweepAuthor(needs.store, index, key);
        else if (isChatKey(key.scope)) await dropChat(needs.store, index, key.scope);
        await needs.breath();
      }
    },
  };
};

const dropChat = async (store: SearchStore, index: PostingIndex, chat: ChatKey): Promise<void> => {
  for (const collection of [headCollection, recordCollection]) {
    const found = await store.scan({ collection, prefix: chatPrefixOf(chat), limit: 1 });
    if (found.length > 0) await index.drop(chat);
  }
};

type OfAuthor = Extract<DestroyedKey, { readonly kind: 'author' }>;

const sweepAuthor = async (store: SearchStore, index: PostingIndex, { subject, period }: OfAuthor): Promise<void> => {
  for (;;) {
    const found = await store.range({
      collection: recordCollection,
      index: 'subject',
      within: [BigInt(subject), period],
      order: 'ascending',
      limit: recordsPerSweep,
    });
    if (found.length === 0) return;
    const byChat = new Map<ChatPrefix, Set<MessageId>>();
    for (const { key } of found) {
      const chat = chatPrefixOfKey(key);
      byChat.set(chat, (byChat.get(chat) ?? new Set()).add(messageOfRecordKey(key)));
    }
    for (const [chat, messages] of byChat) await index.sweep(chat, messages);
  }
};
