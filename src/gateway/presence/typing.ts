import type { TypingAction } from '../../gen/chats.js';
import { isChatKey, type ChatKey } from '../../kernel/chat.js';
import type { SessionId, UserId } from '../../kernel/ids.js';
import type { PubSub, Unsubscribe } from '../../kernel/ports/pubSub.js';
import { chatRefFor, isCalledAlike } from '../contract/chatRefs.js';
import { perRendering, type AlikeUsers } from '../contract/perRendering.js';
import type { Hub } from '../sessions/hub.js';
import type { Schedule } from './schedule.js';
import type { Caller } from '../contract/call.js';
import type { Access } from '../contract/viewerPermissions.js';

export type TypingNeeds = {
  readonly pubSub: PubSub;
  readonly schedule: Schedule;
  readonly access: Pick<Access, 'now'>;
  readonly deliver: Hub['deliver'];
  readonly failed: (error: unknown) => void;
};

export type TypingChange = { readonly chat: ChatKey; readonly typing: boolean; readonly action?: TypingAction };

/** Who is typing where. Told to those who see the chat, on all nodes; never stored. */
export interface Typing {
  set(caller: Caller, change: TypingChange): Promise<void>;
  /** Somebody who has posted types no more. */
  posted(chat: ChatKey, user: UserId): void;
  /** The session's last connection has gone. */
  went(caller: Caller): void;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Who neither goes on nor stops within this time has stopped. Clients say that they go on every few seconds. */
export const typingMillisMax = 15_000;

/** The chats that one session can be typing in; the one begun first ends when there are more. */
export const typingChatsMax = 8;

const topic = 'typing';

type Ending = { readonly user: UserId; readonly session: SessionId; readonly chat: ChatKey; readonly stop: () => void };

export const typing = (needs: TypingNeeds): Typing => {
  const { pubSub, schedule: later, failed } = needs;
  const bySession = new Map<SessionId, Map<ChatKey, Ending>>();
  const byChat = new Map<ChatKey, Set<Ending>>();
  let unsubscribe: Unsubscribe | undefined;

  const publish = (user: UserId, change: TypingChange): Promise<void> =>
    pubSub.publish(topic, Buffer.from(JSON.stringify({ ...change, user: user.toString() })));

  const forget = (ending: Ending | undefined): void => {
    if (ending === undefined) return;
    ending.stop();
    const chats = bySession.get(ending.session);
    chats?.delete(ending.chat);
    if (chats?.size === 0) bySession.delete(ending.session);
    const there = byChat.get(ending.chat);
    there?.delete(ending);
    if (there?.size === 0) byChat.delete(ending.chat);
  };

  const end = (ending: Ending): void => {
    forget(ending);
    publish(ending.user, { chat: ending.chat, typing: false }).catch(failed);
  };

  const begin = ({ user, session }: Caller, chat: ChatKey): void => {
    const timeout = (): void => {
      end(ending);
    };
    const ending: Ending = { user, session, chat, stop: later(typingMillisMax, timeout) };
    const chats = bySession.get(session) ?? new Map<ChatKey, Ending>();
    bySession.set(session, chats.set(chat, ending));
    byChat.set(chat, (byChat.get(chat) ?? new Set()).add(ending));
    const [oldest] = chats.values();
    if (chats.size > typingChatsMax && oldest !== undefined) end(oldest);
  };

  return {
    set: async (caller, change) => {
      forget(bySession.get(caller.session)?.get(change.chat));
      if (change.typing) begin(caller, change.chat);
      await publish(caller.user, change);
    },
    posted: (chat, user) => {
      for (const ending of [...(byChat.get(chat) ?? [])]) if (ending.user === user) end(ending);
    },
    went: ({ session }) => {
      for (const ending of [...(bySession.get(session)?.values() ?? [])]) end(ending);
    },
    start: async () => {
      unsubscribe = await pubSub.subscribe(topic, (message) => {
        relay(needs, heardOf(message));
      });
    },
    close: async () => {
      for (const chats of bySession.values()) for (const { stop } of chats.values()) stop();
      bySession.clear();
      byChat.clear();
      await unsubscribe?.();
    },
  };
};

type Heard = TypingChange & { readonly user: UserId };

const heardOf = (message: Uint8Array): Heard => {
  // Written by `publish`, on this node or on another one.
  const heard = JSON.parse(Buffer.from(message).toString()) as TypingChange & { readonly user: string };
  if (!isChatKey(heard.chat)) throw new Error('typing was heard in what is no chat');
  return { ...heard, user: BigInt(heard.user) as UserId };
};

const relay = ({ access, deliver }: TypingNeeds, { chat, user, typing, action }: Heard): void => {
  const audience = [...access.now.viewersOf(chat)].filter((viewer) => viewer !== user);
  deliver(
    perRendering(
      audience.map((viewer): AlikeUsers => [viewer]),
      (viewer) => (isCalledAlike(chat) ? 'all' : viewer.toString()),
      (viewer) => {
        const chatRef = chatRefFor(chat, viewer);
        return {
          update: { chatTyping: { chatRef, userId: user, typing, ...(action === undefined ? {} : { action }) } },
        };
      },
    ),
  );
};
