import { defined } from '../../kernel/defined.js';
import { done, refused } from '../doorProtocol.js';
import { workersMax } from '../projections.js';
import { declareVerb } from '../verb.js';

const shareDefault = 100;

export const projectionsBuild = declareVerb({
  name: 'projections build',
  access: 'write',
  says: 'Build the read models of this release from the log, also beside a running server. Goes on where it was stopped.',
  arguments: {
    generation: {
      kind: 'text',
      says: 'go on with this one, such as a former one that is to serve again; default: the newest',
      placeholder: 'name',
      unitsMax: 100,
    },
    follow: { kind: 'flag', says: 'go on with the events that come, until it is stopped' },
    anew: { kind: 'flag', says: 'begin another generation although this release has one' },
    share: { kind: 'number', says: 'of the machine, in percent; default 100', max: 100 },
    workers: {
      kind: 'number',
      says: 'how many threads fold; default: one for each two cores, and 4 at most',
      max: workersMax,
    },
    module: {
      kind: 'text',
      says: 'build the projection of your own that is in this file',
      placeholder: 'file',
      unitsMax: 4_096,
      isPath: true,
    },
    json: { kind: 'flag', says: 'one JSON object on one line' },
  },
  // It works in a process of its own, whether a server runs or not.
  folders: () => [],
  running: 'a server builds no generation beside its own: run the command itself',
  stopped: async ({ build }, given, call) => {
    const { generation: wished, follow, anew, share = shareDefault, workers, module, json } = given;
    if (share < 1) return refused('BAD_ARGUMENTS', 'share: must be a whole number from 1 to 100');
    if (workers !== undefined && workers < 1)
      return refused('BAD_ARGUMENTS', `workers: must be a whole number from 1 to ${workersMax.toString()}`);
    if (workers !== undefined && workers > 1 && module !== undefined)
      return refused('BAD_ARGUMENTS', 'workers: a projection of your own has one process, and is built by one worker');
    if (wished !== undefined && anew) return refused('BAD_ARGUMENTS', 'generation: goes on with what --anew leaves');
    const built = await build({ ...defined({ generation: wished, workers, module }), follow, anew, share }, call);
    const { generation, ended, position, percent } = built;
    const text = `${generation} was ${ended} at ${position}, ${percent.toString()} % of the log\n`;
    // A build that follows has no end but to be stopped.
    return done(json ? `${JSON.stringify(built)}\n` : text, ended === 'built' || follow ? 0 : 1);
  },
});
