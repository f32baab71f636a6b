import pLimit from 'p-limit';
import { communities } from '../../domain/communities/decide.js';
import { communityStream } from '../../domain/communities/events.js';
import { channelOf } from '../../domain/communities/state.js';
import { messages } from '../../domain/messages/decide.js';
import { theSystem } from '../../domain/messages/events.js';
import { byKind, parseChatKey, type ChatKey, type ChatOf } from '../../kernel/chat.js';
import { isRejection } from '../../kernel/decider.js';
import type { Execute } from '../../kernel/execute.js';
import type { FoldedStreams } from '../../kernel/foldedStreams.js';
import type { MessageId } from '../../kernel/ids.js';
import type { Ids } from '../../kernel/ports/system.js';
import { community } from '../../projections/communities/queries.js';
import { firstChatAfter, usesAfter } from '../../projections/files/queries.js';
import type { Reads } from '../../projections/reading/queries.js';
import type { Passed } from './dueWork.js';

/** Chats with files that one look asks whether they have ended; the next look goes on behind them. Some 500,000 in a day. */
export const chatsAskedMax = 2_000;

/** Messages of an ended chat that are found at a time, and those that are deleted at a time. */
const messagesPageItems = 200;
const atOnceMax = 8;

export type EndedChatsNeeds = {
  readonly execute: Execute;
  readonly ids: Pick<Ids, 'commandId'>;
  readonly reads: Reads;
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
};

/**
 * Nobody reads the messages of a channel that was deleted, or whose community was, but each still uses its files. Those messages are
 * deleted, one event for each, so that a channel of very many files is no large piece of work, and one that was cut short goes on.
 */
export interface EndedChats {
  pass(this: void, signal: AbortSignal): Promise<Passed>;
}

export const endedChats = (needs: EndedChatsNeeds): EndedChats => {
  let behind = '';
  return {
    pass: async (signal) => {
      let [done, failed] = [0, 0];
      let first: unknown;
      for (let asked = 0; asked < chatsAskedMax && !signal.aborted; asked += 1) {
        const chat = await firstChatAfter(needs.reads, behind);
        if (chat === undefined) {
          behind = '';
          break;
        }
        if (await hasEnded(needs, chat)) {
          const passed = await deleteAll(needs, chat, signal);
          [done, failed, first] = [done + passed.done, failed + passed.failed, first ?? passed.first];
        }
        behind = chat;
      }
      return { done, failed, ...(failed > 0 && { first }) };
    },
  };
};

const hasEnded = (needs: EndedChatsNeeds, chat: ChatKey): Promise<boolean> =>
  byKind<Promise<boolean>>(parseChatKey(chat), {
    channel: (place) => hasChannelEnded(needs, place),
    direct: () => Promise.resolve(false),
    self: () => Promise.resolve(false),
    group: () => Promise.resolve(false),
  });

/** The read model may be behind that of the messages, so the rules have the last word. */
const hasChannelEnded = async ({ reads, streams }: EndedChatsNeeds, place: ChatOf<'channel'>): Promise<boolean> => {
  const seen = await community(reads, place.community);
  if (seen?.channels.some(({ id }) => id === place.channel) === true) return false;
  const { state } = await streams.caughtUp(communityStream(place.community), communities);
  if (state.status === 'deleted') return true;
  // A community that the log does not know is none that has ended.
  return state.status === 'living' && channelOf(state, place.channel) === undefined;
};

/** All that are there now, past those that fail. */
const deleteAll = async (needs: EndedChatsNeeds, chat: ChatKey, signal: AbortSignal): Promise<Passed> => {
  const limited = pLimit(atOnceMax);
  let [done, failed] = [0, 0];
  let first: unknown;
  const one = async (message: MessageId): Promise<void> => {
    if (signal.aborted) return;
    try {
      if (!isRejection(await deleteOne(needs, chat, message))) done += 1;
    } catch (error) {
      first ??= error;
      failed += 1;
    }
  };
  let after = 0n as MessageId;
  while (!signal.aborted) {
    const page = await usesAfter(needs.reads, chat, { after, limit: messagesPageItems });
    // One with an attachment and the picture of a preview is there twice.
    const found = new Set(page.map(({ message }) => message));
    await Promise.all([...found].map((message) => limited(one, message)));
    const last = page.at(-1);
    // Where a whole page failed, an engine is away.
    if (last === undefined || page.length < messagesPageItems || failed >= messagesPageItems) break;
    after = last.message;
  }
  return { done, failed, ...(failed > 0 && { first }) };
};

const deleteOne = ({ execute, ids }: EndedChatsNeeds, chat: ChatKey, message: MessageId) => {
  const commandId = ids.commandId();
  const data = { message, chat, by: theSystem, mayDeleteOthers: true };
  return execute(messages, { type: 'DeleteMessage', data }, { commandId, correlationId: commandId });
};
