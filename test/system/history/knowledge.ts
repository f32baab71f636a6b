import { absent, type History, type Moment, type Thing, type Version } from './history.js';

/** Which versions of a thing there were at a moment, as far as the writers know. */
export interface Knowledge {
  /** The highest version that was acknowledged before: everybody who reads later should see it, or one above. */
  acknowledged(this: void, thing: Thing, before: Moment): Version;
  /** The highest version that anybody had begun to write: nobody can see one above. */
  begun(this: void, thing: Thing, before: Moment): Version;
}

export const knowledgeOf = ({ written }: Pick<History, 'written'>): Knowledge => {
  const acknowledged = timelines();
  const begun = timelines();
  for (const { begun: at, acknowledged: answered, things } of written) {
    for (const [thing, version] of things) {
      begun.add(thing, at, version);
      if (answered !== undefined) acknowledged.add(thing, answered, version);
    }
  }
  return { acknowledged: acknowledged.before, begun: begun.before };
};

type Step = { readonly at: Moment; readonly version: Version };

const timelines = () => {
  const byThing = new Map<Thing, Step[]>();
  const add = (thing: Thing, at: Moment, version: Version): void => {
    const steps = byThing.get(thing) ?? [];
    byThing.set(thing, steps);
    steps.push({ at, version });
  };
  const before = (thing: Thing, moment: Moment): Version =>
    // A thing has few versions.
    (byThing.get(thing) ?? []).reduce(
      (highest, { at, version }) => (at < moment ? Math.max(highest, version) : highest),
      absent,
    );
  return { add, before };
};
