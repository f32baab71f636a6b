import {
  absent,
  type History,
  type Moment,
  type Seen,
  type Thing,
  type Version,
  type Setup,
  type Violation,
} from './history.js';

/**
 * Each read of a session sees what the session wrote, was told and read before. On one node it also sees what any other
 * session did, so all are looked at as one.
 */
export const goingBack = (history: History, setup: Setup): readonly Violation[] => {
  const bySession = new Map<string, Step[]>();
  for (const step of stepsOf(history)) {
    const of = setup === 'one node' ? 'all' : step.session;
    const steps = bySession.get(of) ?? [];
    bySession.set(of, steps);
    steps.push(step);
  }
  return [...bySession.values()].flatMap(backIn);
};

/** At this moment a session learned of versions, or began to read. */
type Step = { readonly session: string; readonly at: Moment } & (
  { readonly learned: ReadonlyMap<Thing, Version> } | { readonly reads: Seen }
);

const stepsOf = function* ({ written, seen, told, connections }: History): Generator<Step> {
  const sessions = new Map(connections.map(({ name, session }) => [name, session]));
  for (const { session, acknowledged: at, things } of written) {
    if (at !== undefined) yield { session, at, learned: things };
  }
  for (const { connection, at, thing, version } of told) {
    yield { session: sessions.get(connection) ?? '', at, learned: new Map([[thing, version]]) };
  }
  for (const reads of seen) {
    yield { session: reads.session, at: reads.begun, reads };
    yield { session: reads.session, at: reads.ended, learned: reads.things };
  }
};

const backIn = (steps: readonly Step[]): readonly Violation[] => {
  const known = new Map<Thing, Version>();
  const violations: Violation[] = [];
  for (const step of steps.toSorted((one, other) => one.at - other.at)) {
    if ('reads' in step) violations.push(...backFrom(known, step.reads));
    else for (const [thing, version] of step.learned) known.set(thing, Math.max(version, known.get(thing) ?? absent));
  }
  return violations;
};

const backFrom = (known: ReadonlyMap<Thing, Version>, { session, begun, things }: Seen): readonly Violation[] =>
  [...things].flatMap(([thing, version]): readonly Violation[] => {
    const before = known.get(thing) ?? absent;
    if (version >= before) return [];
    const says = `${session} could know ${thing} in version ${before.toString()}, and at ${begun.toString()} read ${version.toString()}`;
    return [{ kind: 'back', says }];
  });
