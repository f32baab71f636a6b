import { readEvent, type EventCodec } from '../kernel/codec.js';
import { isRejection, type Command, type Decider, type Rejection } from '../kernel/decider.js';
import type { Event, EventOf, Metadata, Position, Recorded } from '../kernel/event.js';
import type { Done, Execute } from '../kernel/execute.js';
import type { DocumentStore } from '../kernel/ports/documentStore.js';
import type { EventLog, StoredEvent, Subscription } from '../kernel/ports/eventLog.js';
import type { Sealer } from '../kernel/ports/sealer.js';

/**
 * Runs a command that an event led to. The id must follow from the event alone: after a crash the event is met again,
 * and the same id makes the second time the first. A rejection is the end of it: where a key is destroyed that the events
 * would be sealed with, there is nothing left to be done (`CONFLICT`), and the workflow goes on.
 */
export type Run = <C extends Command, State, E extends Event>(
  decider: Decider<C, State, E>,
  command: C,
  commandId: string,
) => Promise<Done<E> | Rejection>;

/** Whenever one of these events happened, do that. */
export type Workflow<E extends Event> = {
  /** Its checkpoint is kept as `workflow.<name>`. */
  readonly name: string;
  /** Default: all. Asked before an event is opened, which takes keys, so that the others cost next to nothing. */
  readonly concerns?: (metadata: Metadata) => boolean;
  /**
   * Its place without a checkpoint. `end`: earlier events were seen to, or cannot be mended any more. `start`: it repairs,
   * so it goes through the whole log once, and finds nothing to do where everything is in order.
   */
  readonly begins: 'start' | 'end';
  /**
   * The owner of its checkpoint: the deployment, or the documents when it works on those, so that it works on each
   * generation of them.
   */
  readonly belongsTo: 'deployment' | 'documents';
  /** Called before events are met from a checkpoint on: another node may have met those since the ones that were met here. */
  readonly forget?: () => void;
  /** Each event is met at least once, in log order. One that throws is met again until it does not. */
  readonly reactions: {
    readonly [Type in E['type']]: (event: Recorded<EventOf<E, Type>>, run: Run) => Promise<void>;
  };
};

export type WorkflowNeeds = {
  readonly log: Pick<EventLog, 'subscribe'>;
  readonly codec: EventCodec;
  readonly sealer: Sealer;
  readonly documents: Pick<DocumentStore, 'checkpoint' | 'commit'>;
  readonly execute: Execute;
  /** Resolves after so long, or as soon as the signal is given. */
  readonly pause: (millis: number, signal: AbortSignal) => Promise<void>;
  readonly alarm: (alarm: WorkflowAlarm) => void;
};

/** The workflow stands still after `position` and tries again. */
export type WorkflowAlarm = {
  readonly workflow: string;
  readonly position: Position | undefined;
  /** In a row. */
  readonly failures: number;
  readonly error: unknown;
};

export interface RunningWorkflow {
  /** The last event passed; undefined before the checkpoint was read. */
  position(): Position | undefined;
  /** Finishes the event in hand and keeps the checkpoint. */
  stop(): Promise<void>;
}

export const workflowCheckpoint = ({ name }: { readonly name: string }): string => `workflow.${name}`;

/** So many events on which a workflow wrote nothing may be read again after a crash. */
export const checkpointEvents = 1_000;
export const pauseMillisMin = 100;
export const pauseMillisMax = 30_000;

export const startWorkflow = <E extends Event>(workflow: Workflow<E>, needs: WorkflowNeeds): RunningWorkflow => {
  const stopping = new AbortController();
  // Beside the signal, because asking that costs as much as passing an event by.
  let isStopping = false;
  const react = reactionOf(workflow, needs);
  const checkpoint = checkpointOf(workflowCheckpoint(workflow), needs.documents);
  let failures = 0;
  let subscription: Subscription | undefined;

  const follow = async (): Promise<void> => {
    workflow.forget?.();
    subscription = needs.log.subscribe(await checkpoint.read());
    if (stopping.signal.aborted) subscription.close();
    for await (const batch of subscription) {
      for (const stored of batch) {
        const reacting = react(stored);
        const wrote = reacting === undefined ? false : await reacting;
        failures = 0;
        if (checkpoint.pass(stored.position) || wrote) await checkpoint.keep();
        if (isStopping) return;
      }
    }
  };
  // A failed reaction is tried again from its event, by subscribing anew, so a log that could not be reached for a
  // while is dealt with in the same way.
  const run = async (): Promise<void> => {
    for (;;) {
      try {
        await follow();
        await checkpoint.keep();
        return;
      } catch (error) {
        failures += 1;
        needs.alarm({ workflow: workflow.name, position: checkpoint.position(), failures, error });
        subscription?.close();
        if (stopping.signal.aborted) return;
        await needs.pause(Math.min(pauseMillisMin * 2 ** (failures - 1), pauseMillisMax), stopping.signal);
      }
    }
  };
  const finished = run();
  return {
    position: checkpoint.position,
    stop: () => {
      isStopping = true;
      stopping.abort();
      subscription?.close();
      return finished;
    },
  };
};

/**
 * Only the events that concern the workflow are opened; for the others, which are nearly all, there is not even a promise.
 * Tells whether anything was written because of this one.
 */
const reactionOf = <E extends Event>(
  { reactions, concerns }: Workflow<E>,
  { codec, sealer, execute }: WorkflowNeeds,
) => {
  // The table pairs each type with its own event; the compiler cannot follow that from a stored event's type.
  const table = reactions as unknown as Readonly<Record<string, Reaction | undefined>>;
  const reactTo = async (stored: StoredEvent, reaction: Reaction): Promise<boolean> => {
    const read = readEvent(codec, sealer, stored);
    const event = read instanceof Promise ? await read : read;
    if (event === undefined) return false;
    let wrote = false;
    const run: Run = async (decider, command, commandId) => {
      const done = await execute(decider, command, {
        commandId,
        correlationId: event.metadata.$correlationId,
        causationId: event.id,
      });
      if (!isRejection(done) && done.events.length > 0) wrote = true;
      return done;
    };
    await reaction(event, run);
    return wrote;
  };
  return (stored: StoredEvent): Promise<boolean> | undefined => {
    const fact = codec.factOf(stored);
    const reaction = fact === undefined ? undefined : table[fact];
    if (reaction === undefined || concerns?.(codec.metadata(stored)) === false) return undefined;
    return reactTo(stored, reaction);
  };
};

type Reaction = (event: Recorded, run: Run) => Promise<void>;

const checkpointOf = (projection: string, documents: WorkflowNeeds['documents']) => {
  let position: Position | undefined;
  let passed = 0;
  return {
    position: (): Position | undefined => position,
    read: async (): Promise<Position> => (position ??= await documents.checkpoint(projection)),
    /** True when it is time to keep it. */
    pass: (to: Position): boolean => {
      position = to;
      passed += 1;
      return passed >= checkpointEvents;
    },
    keep: async (): Promise<void> => {
      if (position === undefined || passed === 0) return;
      await documents.commit([], [{ projection, position }]);
      passed = 0;
    },
  };
};
