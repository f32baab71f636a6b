import assert from 'node:assert/strict';
import { eventKinds } from '../../src/domain/registry.js';
import { decide, isRejection, reject, type Command, type Decider } from '../../src/kernel/decider.js';
import { apply, type Event } from '../../src/kernel/event.js';
import type { Reason } from '../../src/kernel/reasons.js';
import { asPersonal, type Bare } from './bare.js';

/** What follows from a command, as the second half of a sentence. */
export type Outcome<E extends Event> = {
  /** Exactly these events, in this order; none says that there was nothing left to do. */
  then(this: void, ...events: readonly Bare<E>[]): void;
  /** These events, and nothing when the command comes again. */
  thenOnce(this: void, ...events: readonly Bare<E>[]): void;
  refuses(this: void, reason: Reason): void;
};

type Given<C extends Command, E extends Event> = { when(this: void, command: C): Outcome<E> };

/**
 * Sentences about the rules of one kind of stream: `given(sent).when(pin).then(pinned)`, where `given` is
 * `givenFor(messages)`.
 */
export const givenFor =
  <C extends Command, State, E extends Event>(decider: Decider<C, State, E>) =>
  (...history: readonly Bare<E>[]): Given<C, E> => {
    const state = folded(decider, decider.initial, history);
    return { when: (command) => outcomeOf(decider, command, state) };
  };

const outcomeOf = <C extends Command, State, E extends Event>(
  decider: Decider<C, State, E>,
  command: C,
  state: State,
): Outcome<E> => {
  const decision = decide(decider, command, state);
  if (!isRejection(decision)) assertInStream(decision, decider.stream(command));
  const then = (...events: readonly Bare<E>[]): void => {
    assert.deepEqual(isRejection(decision) ? decision : decision.map(unpaced), events);
  };
  return {
    then,
    thenOnce: (...events) => {
      then(...events);
      assert.deepEqual(decide(decider, command, folded(decider, state, events)), [], 'twice is not once');
    },
    refuses: (reason) => {
      const refusal = 'rejected' in decision ? reject(decision.rejected) : decision;
      assert.deepEqual(refusal, reject(reason));
    },
  };
};

/** The pace of edits has a specification of its own, and is left out of all others. */
const unpaced = ({ type, data }: Event): Event => {
  const { editsPaidUntil: _, ...rest } = data as { readonly editsPaidUntil?: number };
  return { type, data: rest };
};

/** The declaration of an event and its decider name the same stream. */
const assertInStream = (events: readonly Event[], stream: string): void => {
  for (const { type, data } of events) {
    assert.equal(eventKinds.find((kind) => kind.type === type)?.stream(data as object), stream, type);
  }
};

const folded = <C extends Command, State, E extends Event>(
  decider: Decider<C, State, E>,
  state: State,
  events: readonly Bare<E>[],
): State => events.reduce((before, event) => apply(decider.evolve, before, asPersonal<E>(event)), state);
