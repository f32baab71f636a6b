import { isChatKey, type ChatKey } from '../../kernel/chat.js';
import { reject, type Rejection } from '../../kernel/decider.js';
import { defined } from '../../kernel/defined.js';
import type { InteractionId, MessageId, UserId } from '../../kernel/ids.js';
import { parsedJson } from '../../kernel/json.js';
import type { PubSub, Unsubscribe } from '../../kernel/ports/pubSub.js';
import type { Ids } from '../../kernel/ports/system.js';
import type { Call, Origin } from '../contract/call.js';
import { chatAtHand } from '../contract/chatAtHand.js';
import type { Access } from '../contract/viewerPermissions.js';
import type { Hub } from '../sessions/hub.js';
import type { Schedule } from './schedule.js';

export type InteractionNeeds = {
  readonly pubSub: PubSub;
  readonly schedule: Schedule;
  readonly ids: Pick<Ids, 'next' | 'commandId'>;
  readonly access: Pick<Access, 'now' | 'load'>;
  readonly deliver: Hub['deliver'];
  /** How long other nodes have to say something, in milliseconds; 0 where there are none. */
  readonly lookMillis: number;
};

/** A button of a bot's message that a user pressed. */
export type Press = {
  readonly bot: UserId;
  readonly chat: ChatKey;
  readonly message: MessageId;
  readonly data: string;
};

/** The bot's answer; without `message` it says that the press was taken. */
export type InteractionAnswer = { readonly message?: string };

/** Presses that wait for the answers of bots, on the nodes of those who pressed; never stored. */
export interface Interactions {
  /**
   * Tells the bot, and resolves with its answer. `UNAVAILABLE` when no connection of the bot could be told, and after
   * `pressMillisMax`; `RATE_LIMITED` beyond the bound.
   */
  press(this: void, call: Pick<Call, 'caller' | 'origin'>, press: Press): Promise<InteractionAnswer | Rejection>;
  /** Only the first answer of the bot that was asked is taken: `INTERACTION_NOT_FOUND` for any other, and when it is late. */
  answer(
    this: void,
    bot: UserId,
    interaction: InteractionId,
    answer: InteractionAnswer,
  ): Promise<Rejection | undefined>;
  /** The connection is closed, or belongs to another session: nobody waits there any more. */
  left(this: void, connection: Origin, user: UserId): void;
  start(this: void): Promise<void>;
  /** Nobody is kept waiting by a server that stops. */
  stopping(this: void): void;
  close(this: void): Promise<void>;
}

/** How long a press waits for the answer of the bot. */
export const pressMillisMax = 10_000;

/** Where there are several nodes: how long a press waits until a bot was told, and an answer until it is taken. */
export const lookMillisMax = 2_000;

/** Presses of one user that wait on a node. */
export const pressesPerUserMax = 5;

/** Presses that wait on a node, and answers that wait for the nodes of theirs. */
export const pressesMax = 10_000;

const topic = 'interactions';

type WaitingPress = {
  readonly bot: UserId;
  readonly user: UserId;
  readonly origin: Origin;
  readonly end: (outcome: InteractionAnswer | Rejection) => void;
  /** Some connection of the bot was told. */
  isTold: boolean;
};

export const interactions = (needs: InteractionNeeds): Interactions => {
  const { pubSub, ids } = needs;
  const presses = waitingPresses(needs);
  const answers = waitingAnswers(needs);
  let unsubscribe: Unsubscribe | undefined;

  const hear: { readonly [Kind in Heard['kind']]: (heard: HeardAs<Kind>) => void } = {
    press: ({ kind: _, ...press }) => {
      const { interaction } = press;
      tellBot(needs, press, () => void pubSub.publish(topic, encoded({ kind: 'told', interaction })));
    },
    told: ({ interaction }) => {
      const waiting = presses.of(interaction);
      if (waiting !== undefined) waiting.isTold = true;
    },
    // Nodes that the press does not wait on say nothing.
    answer: ({ interaction, bot, attempt, message }) => {
      const waiting = presses.of(interaction);
      if (waiting?.bot !== bot) return;
      waiting.end(defined({ message }));
      void pubSub.publish(topic, encoded({ kind: 'taken', attempt }));
    },
    taken: ({ attempt }) => {
      answers.taken(attempt);
    },
  };

  return {
    press: async ({ caller, origin }, press) => {
      const refused = presses.refusal(caller.user);
      if (refused !== undefined) return refused;
      const interaction = ids.next() as InteractionId;
      const outcome = presses.begin(interaction, { bot: press.bot, user: caller.user, origin });
      await pubSub.publish(topic, encoded({ kind: 'press', interaction, user: caller.user, ...press }));
      presses.settle(interaction);
      return outcome;
    },
    answer: async (bot, interaction, { message }) => {
      if (answers.areTooMany()) return reject('UNAVAILABLE', 'too many answers are under way');
      const attempt = ids.commandId();
      const outcome = answers.begin(attempt);
      await pubSub.publish(topic, encoded({ kind: 'answer', interaction, bot, attempt, ...defined({ message }) }));
      answers.settle(attempt);
      return (await outcome) === 'taken' ? undefined : reject('INTERACTION_NOT_FOUND');
    },
    left: presses.left,
    start: async () => {
      unsubscribe = await pubSub.subscribe(topic, (bytes) => {
        const heard = decoded(bytes);
        // Each kind is paired with its own listener.
        (hear[heard.kind] as (heard: Heard) => void)(heard);
      });
    },
    stopping: presses.endAll,
    close: async () => {
      presses.endAll();
      answers.endAll();
      await unsubscribe?.();
    },
  };
};

const tellBot = (needs: InteractionNeeds, press: SubmittedPress, told: () => void): void => {
  const telling = chatAtHand(needs.access, press.chat, () => {
    if (isBotTold(needs, press)) told();
  });
  // The press ends as that of a bot that is not told.
  if (telling instanceof Promise) telling.catch(() => undefined);
};

/** A bot that does not see the chat any more is not told what happens in it. */
const isBotTold = ({ access, deliver }: InteractionNeeds, press: SubmittedPress): boolean => {
  const { bot, chat, interaction: interactionId, user: userId, message: messageId, data } = press;
  if (!access.now.maySee(chat, bot)) return false;
  return deliver([{ audience: [bot], update: { interaction: { interactionId, userId, messageId, data } } }]) > 0;
};

const waitingPresses = ({ schedule, lookMillis }: Pick<InteractionNeeds, 'schedule' | 'lookMillis'>) => {
  const waiting = new Map<InteractionId, WaitingPress>();
  const byUser = new Map<UserId, Set<WaitingPress>>();

  const forget = (interaction: InteractionId, press: WaitingPress): void => {
    waiting.delete(interaction);
    const others = byUser.get(press.user);
    others?.delete(press);
    if (others?.size === 0) byUser.delete(press.user);
  };

  return {
    of: (interaction: InteractionId): WaitingPress | undefined => waiting.get(interaction),
    refusal: (user: UserId): Rejection | undefined => {
      if (waiting.size >= pressesMax) return reject('UNAVAILABLE', 'too many presses wait for bots');
      if ((byUser.get(user)?.size ?? 0) < pressesPerUserMax) return undefined;
      const retryAfterSeconds = pressMillisMax / 1_000;
      return { ...reject('RATE_LIMITED', 'as many presses wait for bots as may'), retryAfterSeconds };
    },
    begin: (
      interaction: InteractionId,
      about: Omit<WaitingPress, 'end' | 'isTold'>,
    ): Promise<InteractionAnswer | Rejection> =>
      new Promise((resolve) => {
        const end: WaitingPress['end'] = (outcome) => {
          forget(interaction, press);
          stop();
          resolve(outcome);
        };
        const press: WaitingPress = { ...about, end, isTold: false };
        const stop = schedule(pressMillisMax, () => {
          end(unanswered);
        });
        waiting.set(interaction, press);
        byUser.set(about.user, (byUser.get(about.user) ?? new Set()).add(press));
      }),
    /** This node has told the bot by now, where it is here; other nodes are given time. */
    settle: (interaction: InteractionId): void => {
      const look = (): void => {
        const press = waiting.get(interaction);
        if (press?.isTold === false) press.end(reject('UNAVAILABLE', 'the bot is not connected'));
      };
      if (lookMillis === 0) look();
      else schedule(lookMillis, look);
    },
    left: (connection: Origin, user: UserId): void => {
      const some = [...(byUser.get(user) ?? [])];
      for (const press of some) if (press.origin === connection) press.end(unanswered);
    },
    endAll: (): void => {
      for (const press of [...waiting.values()]) press.end(unanswered);
    },
  };
};

const unanswered = reject('UNAVAILABLE', 'the bot has not answered');

type Taken = 'taken' | 'not taken';

const waitingAnswers = ({ schedule, lookMillis }: Pick<InteractionNeeds, 'schedule' | 'lookMillis'>) => {
  const waiting = new Map<string, (outcome: Taken) => void>();
  const end = (attempt: string, outcome: Taken): void => {
    waiting.get(attempt)?.(outcome);
    waiting.delete(attempt);
  };

  return {
    areTooMany: (): boolean => waiting.size >= pressesMax,
    begin: (attempt: string): Promise<Taken> => new Promise((resolve) => waiting.set(attempt, resolve)),
    /** The listeners of this node have heard it by now, and those of others are given time. */
    settle: (attempt: string): void => {
      if (!waiting.has(attempt)) return;
      if (lookMillis === 0) end(attempt, 'not taken');
      else
        schedule(lookMillis, () => {
          end(attempt, 'not taken');
        });
    },
    taken: (attempt: string): void => {
      end(attempt, 'taken');
    },
    endAll: (): void => {
      for (const attempt of [...waiting.keys()]) end(attempt, 'not taken');
    },
  };
};

type SubmittedPress = Press & { readonly interaction: InteractionId; readonly user: UserId };

type Heard =
  | ({ readonly kind: 'press' } & SubmittedPress)
  | { readonly kind: 'told'; readonly interaction: InteractionId }
  | ({
      readonly kind: 'answer';
      readonly interaction: InteractionId;
      readonly bot: UserId;
      readonly attempt: string;
    } & InteractionAnswer)
  | { readonly kind: 'taken'; readonly attempt: string };
type HeardAs<Kind extends Heard['kind']> = Extract<Heard, { readonly kind: Kind }>;

const idFields: ReadonlySet<string> = new Set(['interaction', 'bot', 'user', 'message']);

/** Ids are texts, `message` only that of a press: the answer of a bot has words there. */
const encoded = (heard: Heard): Uint8Array =>
  Buffer.from(JSON.stringify(heard, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)));

const decoded = (bytes: Uint8Array): Heard => {
  // Written by `encoded`, on this node or on another one.
  const plain = parsedJson(Buffer.from(bytes).toString()) as unknown as Heard;
  const isId = (name: string): boolean => idFields.has(name) && !(name === 'message' && plain.kind === 'answer');
  const fields = Object.entries(plain).map(([name, value]) => [name, isId(name) ? BigInt(String(value)) : value]);
  const heard = Object.fromEntries(fields) as Heard;
  if (heard.kind === 'press' && !isChatKey(heard.chat)) throw new Error('a press was heard in what is no chat');
  return heard;
};
