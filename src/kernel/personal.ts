import type { Event, EventOf } from './event.js';

declare const content: unique symbol;

/**
 * Personal content as folds and documents carry it. The type is opaque, so a fold can keep, move and drop the content
 * but never decide by it: a fold of sealed values and a fold of open ones are the same function. `kernel/opened.ts`
 * holds the only way in, and folds may not import that file.
 */
export type Personal<T> = { readonly [content]: T };

/** Content that is open where it comes from: a command, or the default of a fold. */
export const personal = <T>(value: T): Personal<T> =>
  // The brand exists in types only: an open value stands for itself.
  value as unknown as Personal<T>;

type Bare<Value> = Value extends Personal<infer T> ? T : Value;

/** The event as a decider writes it, with the personal content open. */
export type WrittenEvent<E extends Event> = {
  readonly [Type in E['type']]: Event<
    Type,
    { readonly [Field in keyof EventOf<E, Type>['data']]: Bare<EventOf<E, Type>['data'][Field]> }
  >;
}[E['type']];
