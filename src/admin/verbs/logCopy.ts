import { done } from '../doorProtocol.js';
import { logPlace } from '../logPlace.js';
import { declareVerb } from '../verb.js';

const place = {
  kind: 'text',
  placeholder: 'log',
  unitsMax: 8_192,
  required: true,
  objection: (text: string) =>
    logPlace(text) === undefined ? 'It must be lmdb:FOLDER, esdb://… or esdb+discover://….' : undefined,
} as const;

export const logCopy = declareVerb({
  name: 'log copy',
  access: 'write',
  says: 'Copy a log, verify the copy, and set its max counts. Goes on where it was stopped. Stop the servers first.',
  arguments: {
    from: { ...place, says: 'lmdb:FOLDER, the data folder, or esdb://…' },
    to: { ...place, says: 'the same; it must be empty, or hold a part of this copy' },
  },
  // The folder that is read is taken as well: nobody may write to it meanwhile.
  folders: ({ from, to }) =>
    [to, from].flatMap((text) => {
      const found = logPlace(text);
      return found?.engine === 'lmdb' ? [found.dataDir] : [];
    }),
  running: 'a server runs on one of the data folders, and both logs must stand still: stop it first',
  stopped: async ({ copyLog }, places, call) => done(await copyLog(places, call)),
});
