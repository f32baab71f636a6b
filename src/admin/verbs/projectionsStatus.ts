import { done, refused, type VerbOutcome } from '../doorProtocol.js';
import type { GenerationStatus, OwnGenerations, ProjectionsAdmin, ProjectionsStatus } from '../projections.js';
import { declareVerb } from '../verb.js';

const told = async ({ status }: ProjectionsAdmin, { json }: { readonly json: boolean }): Promise<VerbOutcome> => {
  const found = await status();
  return done(json ? `${JSON.stringify(found)}\n` : lines(found));
};

export const projectionsStatus = declareVerb({
  name: 'projections status',
  access: 'read',
  says: 'List the generations of read models, which one serves, and how far they are.',
  arguments: { json: { kind: 'flag', says: 'one JSON object on one line' } },
  folders: 'environment',
  running: async ({ phase, projections }, given) =>
    phase() === 'running' ? told(projections, given) : refused('NOT_READY', `the server is ${phase()}`),
  stopped: ({ projections }, given) => told(projections, given),
});

const lines = ({ end, generations, search, own = [], former }: ProjectionsStatus): string => {
  const rows = generations.map((one) => `${one.name}  ${roleOf(one)}, ${placeOf(one)}, ${kinds(one)}\n`);
  const none = generations.length === 0 && !former ? ['there are no read models yet\n'] : [];
  const ending = end === undefined ? [] : [`the log ends at ${end}\n`];
  const index = search === undefined ? [] : [`${search.generation}  the search index, at ${search.position}\n`];
  return [...rows, ...index, ...own.flatMap(ownLines), ...(former ? [formerLine] : []), ...none, ...ending].join('');
};

const ownLines = ({ name, generations, isForeign, stopped }: OwnGenerations): readonly string[] => [
  ...generations.map((one) =>
    isForeign === true
      ? `${one.name}  of ${name}, which is not configured, ${kinds(one)}\n`
      : `${one.name}  of ${name}, ${roleOf(one)}, ${placeOf(one)}, ${kinds(one)}\n`,
  ),
  ...(stopped === undefined ? [] : [`${name} has STOPPED: ${stopped}\n`]),
];

const formerLine =
  'former  the documents of a release without generations are kept, with personal content in the clear: drop them with\n' +
  '        osmium projections drop --generation former, once you do not go back to that release\n';

const roleOf = ({ isOwn, isServing }: GenerationStatus): string => {
  if (isServing) return 'serves';
  return isOwn ? 'does not serve' : 'of another release';
};

const placeOf = ({ position }: GenerationStatus): string =>
  position === undefined ? 'its place is not known here' : `at ${position}`;

const kinds = ({ types }: GenerationStatus): string => `${types.length.toString()} types of documents`;
