import {
  gone,
  type Connection,
  type Counted,
  type History,
  type Seen,
  type Setup,
  type Told,
  type Violation,
} from './history.js';
import { knowledgeOf, type Knowledge } from './knowledge.js';
import { goingBack } from './sessions.js';
import { differingOrders, lostUpdates, outOfIds, repeatedUpdates } from './updates.js';

/** All that breaks a promise of the set-up in this history. Pure, and the same for the same history. */
export const violationsIn = (history: History, setup: Setup): readonly Violation[] => {
  const known = knowledgeOf(history);
  const about = { history, known, setup };
  return [
    ...history.strange.map((says): Violation => ({ kind: 'strange', says })),
    ...history.seen.flatMap((seen) => [...missed(about, seen), ...invented(about, seen)]),
    ...goingBack(history, setup),
    ...untoldVersions(about),
    ...repeatedUpdates(history),
    ...differingOrders(history, setup),
    ...lostUpdates(history),
    ...(setup === 'one node' ? ofOneNode(about) : []),
  ];
};

const ofOneNode = (about: About): readonly Violation[] => [
  ...halves(about.history),
  ...outOfIds(about.history),
  ...about.history.counted.flatMap((one) => miscounted(about, one)),
];

type About = { readonly history: History; readonly known: Knowledge; readonly setup: Setup };

/** On one node a read sees what was acknowledged to anybody before it; on many what was when its connection came. */
const missed = ({ history, known, setup }: About, { session, begun, things }: Seen): readonly Violation[] => {
  const promisedAt = setup === 'one node' ? begun : (connectionOf(history, session, begun)?.begun ?? begun);
  return [...things].flatMap(([thing, version]) => {
    const promised = known.acknowledged(thing, promisedAt);
    if (version >= promised) return [];
    const says = `${session} read ${thing} at ${begun.toString()} in version ${version.toString()}, after ${promised.toString()}`;
    return [{ kind: 'missed', says }];
  });
};

/** The connection of the session that was there at that moment: sessions have one after the other. */
const connectionOf = ({ connections }: History, session: string, at: number): Connection | undefined =>
  connections.filter((one) => one.session === session && one.ready < at).at(-1);

const invented = ({ known }: About, { session, ended, things }: Seen): readonly Violation[] =>
  [...things].flatMap(([thing, version]) =>
    version <= known.begun(thing, ended)
      ? []
      : [
          {
            kind: 'invented',
            says: `${session} read ${thing} in version ${version.toString()}, which nobody had written`,
          },
        ],
  );

const untoldVersions = ({ history, known }: About): readonly Violation[] =>
  history.told.flatMap(({ connection, thing, version, at }: Told) =>
    version <= known.begun(thing, at)
      ? []
      : [
          {
            kind: 'invented',
            says: `${connection} was told ${thing} in version ${version.toString()}, which nobody had written`,
          },
        ],
  );

/** Of a request that changed several things, a read shows all or nothing. */
const halves = ({ written, seen }: History): readonly Violation[] => {
  const together = written.filter(({ things }) => things.size > 1);
  const byThing = new Map(together.flatMap((one) => [...one.things.keys()].map((thing) => [thing, one] as const)));
  return seen.flatMap(({ session, begun, things }) => {
    const touched = new Set([...things.keys()].flatMap((thing) => byThing.get(thing) ?? []));
    return [...touched].flatMap((one): readonly Violation[] => {
      const shown = [...one.things].flatMap(([thing, version]) => {
        const found = things.get(thing);
        return found === undefined ? [] : [found >= version];
      });
      if (new Set(shown).size < 2) return [];
      return [
        {
          kind: 'half',
          says: `${session} saw at ${begun.toString()} a part of ${[...one.things.keys()].join(' and ')}`,
        },
      ];
    });
  });
};

/** The messages of others that are above the marker: at least those that must be there, at most those that may be. */
const miscounted = ({ history, known }: About, counted: Counted): readonly Violation[] => {
  const { session, begun, ended, chat, unread, marker } = counted;
  let [least, most] = [0, 0];
  for (const { thing, id, session: author, chat: where } of history.messages) {
    if (where !== chat || author === session || (id !== undefined && id <= marker)) continue;
    if (known.begun(thing, ended) === 0) continue;
    const isThere = known.acknowledged(thing, begun);
    if (isThere !== gone) most += 1;
    if (id !== undefined && isThere > 0 && known.begun(thing, ended) !== gone) least += 1;
  }
  if (unread >= least && unread <= most) return [];
  const bounds = `${least.toString()} to ${most.toString()}`;
  return [
    {
      kind: 'miscounted',
      says: `${session} read ${unread.toString()} unread in ${chat} at ${begun.toString()}, and ${bounds} are`,
    },
  ];
};
