import type { Visibility } from '../../domain/visibility/commands.js';
import { visibilities } from '../../domain/visibility/decide.js';
import { visibilityStream } from '../../domain/visibility/events.js';
import type { VisibilityState } from '../../domain/visibility/state.js';
import type { Execute } from '../../kernel/execute.js';
import type { FoldedStreams } from '../../kernel/foldedStreams.js';
import type { Millis, SessionId } from '../../kernel/ids.js';
import type { Presence } from '../../kernel/ports/presence.js';
import type { Ids } from '../../kernel/ports/system.js';
import type { Caller } from '../contract/call.js';
import type { Schedule } from './schedule.js';

export type VisibilityNeeds = {
  readonly execute: Execute;
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
  readonly ids: Pick<Ids, 'commandId'>;
  readonly presence: Pick<Presence, 'kept'>;
  readonly schedule: Schedule;
  readonly failed: (error: unknown) => void;
};

export type VisibilityChoice = Caller & { readonly visibility: Visibility; readonly at: Millis };

/** The choices of sessions to be seen or not, which outlast the session's connections. */
export interface VisibilityChoices {
  /**
   * Durable when resolved, except within `choiceMillisMin` after another choice of the session: then the last choice is
   * written when that time is over.
   */
  choose(choice: VisibilityChoice): Promise<void>;
  /** The last choice of the session, whether or not that is written yet. Rejects when the log cannot be read. */
  of(session: SessionId): Promise<VisibilityState>;
  /** Writes what waits. */
  close(): Promise<void>;
}

/** At most one choice of a session is written in this time. */
export const choiceMillisMin = 5_000;

type Recent = { next?: VisibilityChoice; stop: () => void };

export const visibilityChoices = (needs: VisibilityNeeds): VisibilityChoices => {
  const { execute, streams, ids, schedule, failed } = needs;
  const recent = new Map<SessionId, Recent>();

  const write = async (choice: VisibilityChoice): Promise<void> => {
    const { user, session, visibility, at } = choice;
    const commandId = ids.commandId();
    const cause = { commandId, correlationId: commandId, actor: user.toString(), session: session.toString() };
    await execute(visibilities, { type: 'ChooseVisibility', data: { user, session, visibility, at } } as const, cause);
  };
  /** Another choice may be written when the time is over, and the one that waits then is. */
  const rest = (session: SessionId): void => {
    const waiting: Recent = recent.get(session) ?? { stop: () => undefined };
    recent.set(session, waiting);
    waiting.stop = schedule(choiceMillisMin, () => {
      const { next } = waiting;
      delete waiting.next;
      recent.delete(session);
      if (next !== undefined) beginLate(next).catch(retry(next));
    });
  };
  const retry =
    (choice: VisibilityChoice) =>
    (error: unknown): void => {
      failed(error);
      const waiting = recent.get(choice.session);
      if (waiting !== undefined) waiting.next ??= choice;
    };
  const begin = (choice: VisibilityChoice): Promise<void> => {
    rest(choice.session);
    return write(choice);
  };
  const beginLate = async (choice: VisibilityChoice): Promise<void> => {
    rest(choice.session);
    await write(await latest(needs.presence, choice));
  };

  return {
    choose: async (choice) => {
      const waiting = recent.get(choice.session);
      if (waiting === undefined) await begin(choice);
      else waiting.next = choice;
    },
    of: async (session) => {
      const next = recent.get(session)?.next;
      if (next !== undefined) return next;
      return (await streams.caughtUp(visibilityStream(session), visibilities)).state;
    },
    close: async () => {
      const waiting = [...recent.values()];
      recent.clear();
      for (const { stop } of waiting) stop();
      await Promise.all(
        waiting.flatMap(({ next }) =>
          next === undefined ? [] : [latest(needs.presence, next).then(write).catch(failed)],
        ),
      );
    },
  };
};

/** A choice that waited, or the one that its session has made on another node since. */
const latest = async (presence: VisibilityNeeds['presence'], choice: VisibilityChoice): Promise<VisibilityChoice> => {
  const said = await presence.kept(choice.user, choice.session);
  if (said === undefined || said.at <= choice.at) return choice;
  return { ...choice, visibility: said.status === 'invisible' ? 'invisible' : 'visible', at: said.at };
};
