import type { TypingAction } from '../../gen/chats.js';
import { byKind, isChatKey, parseChatKey, type ChatKey } from '../../kernel/chat.js';
import type { UserId } from '../../kernel/ids.js';
import type { PubSub, Unsubscribe } from '../../kernel/ports/pubSub.js';
import { parsedJson } from '../../kernel/json.js';
import { chatAtHand } from '../contract/chatAtHand.js';
import { chatRefFor, isCalledAlike } from '../contract/chatRefs.js';
import { perRendering, type AlikeUsers } from '../contract/perRendering.js';
import type { Hub } from '../sessions/hub.js';
import type { Schedule } from './schedule.js';
import type { Call, Caller, Origin } from '../contract/call.js';
import type { Access, AccessChange, AccessChanges } from '../contract/viewerPermissions.js';

export type TypingNeeds = {
  readonly pubSub: PubSub;
  readonly schedule: Schedule;
  readonly access: Pick<Access, 'now' | 'load'> & AccessChanges;
  readonly deliver: Hub['deliver'];
  readonly failed: (error: unknown) => void;
};

export type TypingChange = { readonly chat: ChatKey; readonly typing: boolean; readonly action?: TypingAction };

/** The users who are typing, by chat. Sent to those who see the chat, on all nodes; never stored. */
export interface Typing {
  /**
   * Typing begins only while the connection is open and its user may write in the chat. The end of typing that never
   * began is sent to nobody, so a caller may ask for it in any chat.
   */
  set(call: Pick<Call, 'caller' | 'origin'>, change: TypingChange): Promise<void>;
  /** Somebody who has posted types no more. */
  posted(chat: ChatKey, user: UserId): void;
  /** The connection is closed, or belongs to another session. */
  left(connection: Origin, user: UserId): void;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Typing that is neither repeated nor stopped within this time ends. Clients repeat it every few seconds. */
export const typingMillisMax = 15_000;

/** The chats that one session can be typing in; the one begun first ends when there are more. */
export const typingChatsMax = 8;

const topic = 'typing';

/** Typing of somebody who is connected to this node. */
type Typist = Caller & { readonly origin: Origin; readonly chat: ChatKey; readonly stop: () => void };

export const typing = (needs: TypingNeeds): Typing => {
  const { pubSub, schedule: later, access, failed } = needs;
  const typists = typistsByUser();
  let unsubscribe: Unsubscribe | undefined;

  const publish = publisherOf(pubSub);

  const forget = (typist: Typist): void => {
    typist.stop();
    typists.remove(typist);
  };
  /** Another device of the user may still type in the chat. The end of the last one counts. */
  const publishEnd = async (user: UserId, chat: ChatKey): Promise<void> => {
    if (!typists.of(user).some((other) => other.chat === chat)) await publish(user, { chat, typing: false });
  };
  const end = (typist: Typist): void => {
    forget(typist);
    publishEnd(typist.user, typist.chat).catch(failed);
  };
  const begin = ({ user, session }: Caller, origin: Origin, chat: ChatKey): void => {
    const timeout = (): void => {
      end(typist);
    };
    const typist: Typist = { user, session, origin, chat, stop: later(typingMillisMax, timeout) };
    typists.add(typist);
    const chats = typists.of(user).filter((other) => other.session === session);
    const [oldest] = chats;
    if (chats.length > typingChatsMax && oldest !== undefined) end(oldest);
  };
  endWithRight(needs, typists, end);

  return {
    set: async ({ caller, origin }, change) => {
      const { user, session } = caller;
      const here = typists.of(user).filter((other) => other.session === session && other.chat === change.chat);
      for (const typist of here) forget(typist);
      // Looked at here, without a wait until typing has begun: afterwards `left` and `onChange` end it.
      const begins =
        change.typing && origin.session?.caller.session === session && access.now.mayWrite(change.chat, user);
      if (begins) begin(caller, origin, change.chat);
      if (begins) await publish(user, change);
      else if (here.length > 0) await publishEnd(user, change.chat);
    },
    posted: (chat, user) => {
      for (const typist of typists.of(user)) if (typist.chat === chat) end(typist);
    },
    left: (connection, user) => {
      for (const typist of typists.of(user)) if (typist.origin === connection) end(typist);
    },
    start: async () => {
      unsubscribe = await pubSub.subscribe(topic, (message) => {
        relay(needs, heardOf(message));
      });
    },
    close: async () => {
      for (const typist of typists.all()) forget(typist);
      await unsubscribe?.();
    },
  };
};

/** Ends the typing of those who have no right to write any more. */
const endWithRight = (
  { access, failed }: Pick<TypingNeeds, 'access' | 'failed'>,
  typists: ReturnType<typeof typistsByUser>,
  end: (typist: Typist) => void,
): void => {
  /** The change may be in another community than the chat, whose own need not be in memory. */
  const endUnlessAllowed = (typist: Typist): void => {
    const looked = chatAtHand(access, typist.chat, () => {
      const isTyping = typists.of(typist.user).includes(typist);
      if (isTyping && !access.now.mayWrite(typist.chat, typist.user)) end(typist);
    });
    if (looked instanceof Promise) looked.catch(failed);
  };
  access.onChange((change) => {
    // Members come and go all the time, and for them nobody else's typing is looked at.
    const some = change.communities.size === 0 ? [...change.users].flatMap(typists.of) : typists.all();
    for (const typist of some) if (concerns(change, typist)) endUnlessAllowed(typist);
  });
};

const publisherOf =
  (pubSub: PubSub) =>
  (user: UserId, change: TypingChange): Promise<void> =>
    pubSub.publish(topic, Buffer.from(JSON.stringify({ ...change, user: user.toString() })));

/** In the order in which they began. Lists are copies: a typist may be removed while they are gone through. */
const typistsByUser = () => {
  const byUser = new Map<UserId, Set<Typist>>();
  return {
    of: (user: UserId): readonly Typist[] => [...(byUser.get(user) ?? [])],
    all: (): readonly Typist[] => [...byUser.values()].flatMap((some) => [...some]),
    add: (typist: Typist): void => {
      byUser.set(typist.user, (byUser.get(typist.user) ?? new Set()).add(typist));
    },
    remove: (typist: Typist): void => {
      const left = byUser.get(typist.user);
      left?.delete(typist);
      if (left?.size === 0) byUser.delete(typist.user);
    },
  };
};

const concerns = ({ communities, users }: AccessChange, { chat, user }: Typist): boolean =>
  byKind(parseChatKey(chat), {
    channel: ({ community }) => users.has(user) || communities.has(community),
    // Nothing takes the right to write away there.
    direct: () => false,
    self: () => false,
    group: () => false,
  });

type Heard = TypingChange & { readonly user: UserId };

const heardOf = (message: Uint8Array): Heard => {
  // Written by `publish`, on this node or on another one.
  const heard = parsedJson(Buffer.from(message).toString()) as TypingChange & { readonly user: string };
  if (!isChatKey(heard.chat)) throw new Error('typing was heard in what is no chat');
  return { ...heard, user: BigInt(heard.user) as UserId };
};

const relay = (needs: TypingNeeds, heard: Heard): void => {
  const told = chatAtHand(needs.access, heard.chat, () => {
    tellViewers(needs, heard);
  });
  if (told instanceof Promise) told.catch(needs.failed);
};

const tellViewers = ({ access, deliver }: TypingNeeds, { chat, user, typing, action }: Heard): void => {
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
