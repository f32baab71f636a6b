import { isAbsolute } from 'node:path';
import { BackupRefused } from '../backups.js';
import { done, refused, type VerbOutcome } from '../doorProtocol.js';
import { declareVerb } from '../verb.js';

const path = {
  kind: 'text',
  unitsMax: 4_096,
  isPath: true,
  objection: (text: string) => (isAbsolute(text) ? undefined : 'must be a whole path'),
} as const;

const folder = { ...path, placeholder: 'folder', required: true, isOperand: true } as const;
const key = { ...path, placeholder: 'file', says: 'the master key, where it is not where the server has it' } as const;
const json = { kind: 'flag', says: 'one JSON object on one line' } as const;

export const backup = declareVerb({
  name: 'backup',
  access: 'write',
  says: 'Back up log and vault into a new folder, as of one moment, also while a server runs. Reads the backup whole.',
  arguments: {
    folder: { ...folder, says: 'the backup; it must be new or empty' },
    verify: { kind: 'flag', says: 'read a backup that is there, and change nothing' },
    withKey: { kind: 'flag', says: 'take the master key along: whoever has the backup can read it then' },
    key,
    json,
  },
  folders: 'option',
  isAlone: ({ verify }) => verify,
  running: ({ takeBackup }, values, call) => answered(() => takeBackup(values.folder, call)),
  stopped: ({ takeBackup }, values, call) =>
    values.verify ? Promise.resolve(done('')) : answered(() => takeBackup(values.folder, call)),
  finished: async ({ sealBackup, verifyBackup }, values, { taken, ...call }) =>
    done(await (values.verify ? verifyBackup(values, call) : sealBackup({ ...values, taken }, call))),
});

const answered = async (take: () => Promise<object>): Promise<VerbOutcome> => {
  try {
    return done(JSON.stringify(await take()));
  } catch (error) {
    if (error instanceof BackupRefused) return refused('PREVENTED', error.message);
    throw error;
  }
};

export const restore = declareVerb({
  name: 'restore',
  access: 'write',
  says: 'Put a backup into an empty data folder, and open all that is sealed in it.',
  arguments: { folder: { ...folder, says: 'the backup' }, key, json },
  folders: 'option',
  running: 'a server runs on this data folder: a backup is put into an empty one',
  stopped: async ({ restoreBackup }, values, call) => done(await restoreBackup(values, call)),
});
