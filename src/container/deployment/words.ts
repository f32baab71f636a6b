import type { Mismatch, PartName } from '../../domain/deployments/parts.js';
import type { EnginePlace } from '../../startFailure.js';

const names: Readonly<Record<PartName, string>> = {
  vault: 'the vault',
  log: 'the log',
  documents: 'the read models',
  files: 'the store of files',
};

/** Says what is wrong with a part, and what to do. Begins with where it is. */
export const explained = (part: PartName, because: Mismatch, { where }: EnginePlace): string =>
  `${names[part]} in ${where} ${problem(part, because)}; ${remedies[part]}${further(part, because)}`;

const problem = (part: PartName, because: Mismatch): string => {
  switch (because.kind) {
    case 'missing':
      return part === 'log'
        ? 'is missing or empty, while the vault or the read models hold what came of one'
        : 'is missing or empty, while the log holds what was sealed under its keys';
    case 'another':
      return `${part === 'documents' ? 'belong' : 'belongs'} to the deployment ${because.has}, the other parts to ${because.wanted}`;
    case 'given up':
      return `is the one of before its keys were given up (deployment ${because.has})`;
    case 'nameless':
      return 'is a copy of before the deployment had a name';
    case 'older':
      return `is an older copy: ${because.by.toString()} keys that it had made are not in it`;
    case 'does not open':
      return `does not open ${because.unopened.toString()} of ${because.sealed.toString()} sealed events that were tried`;
    case 'strangers':
      return 'hold users whom the log does not know';
  }
};

const remedies: Readonly<Record<PartName, string>> = {
  vault: 'put the vault of this log back, with its master key',
  log: 'put the log back',
  documents: 'point the variable to those of this log, or delete these: they are folded from the log again',
  files: 'point the variable to the store of this log, or to an empty one: this one is used by others',
};

/** A vault is the one part that one can go on without, at a price. */
const further = (part: PartName, { kind }: Mismatch): string => {
  if (part === 'log') return ', or move the vault and the read models away to begin anew';
  if (part !== 'vault') return '';
  const verb = kind === 'missing' ? 'new' : 'keep';
  const advice = verb === 'new' ? 'goes on with a new vault' : 'goes on with this one';
  return `, or run "osmium vault ${verb} --give-up-keys", which ${advice} and gives up what it does not open`;
};
