import { done, refused, type VerbOutcome } from '../doorProtocol.js';
import type { FilesReport, SweptFiles } from '../files.js';
import { declareVerb, type RunningServer } from '../verb.js';

const json = { kind: 'flag', says: 'one JSON object on one line' } as const;
const needsServer = 'no server runs on this data folder: start it, because its read models tell which files are used';

const whileRunning = async (server: RunningServer, work: () => Promise<VerbOutcome>): Promise<VerbOutcome> =>
  server.phase() === 'running' ? work() : refused('NOT_READY', `the server is ${server.phase()}`);

export const filesStats = declareVerb({
  name: 'files stats',
  access: 'read',
  says: 'Count the files in the store: used, unused, under way and orphaned, with their bytes.',
  arguments: { json },
  folders: 'option',
  running: (server, given, call) =>
    whileRunning(server, async () => {
      const report = await server.files.stats(call);
      return done(given.json ? `${JSON.stringify(report)}\n` : linesOf(report));
    }),
  stopped: needsServer,
});

export const filesSweep = declareVerb({
  name: 'files sweep',
  access: 'write',
  says: 'Look now for files that nothing uses, as the server does every five minutes. Ends with 1 when something failed.',
  arguments: { json },
  folders: 'option',
  running: (server, given, call) =>
    whileRunning(server, async () => {
      const swept = await server.files.sweep(call);
      return done(given.json ? `${JSON.stringify(swept)}\n` : told(swept), swept.failed === 0 ? 0 : 1);
    }),
  stopped: needsServer,
});

const names: Readonly<Record<keyof FilesReport, string>> = {
  stored: 'stored',
  used: 'used',
  unused: 'unused',
  underWay: 'under way',
  orphaned: 'orphaned',
};

const linesOf = (report: FilesReport): string =>
  // The keys of a record are those of its type.
  (Object.keys(names) as readonly (keyof FilesReport)[])
    .map((kind) => {
      const { files, parts, bytes } = report[kind];
      const counts = `${files.toString()} files, ${parts.toString()} parts, ${bytes.toString()} bytes`;
      return `${names[kind].padEnd(10)}${counts}\n`;
    })
    .join('');

const told = ({ ended, deleted, released, removed, failed }: SweptFiles): string =>
  `uploads ended: ${ended.toString()}\nmessages of deleted channels: ${deleted.toString()}\n` +
  `files released: ${released.toString()}\nfiles removed: ${removed.toString()}\nfailed: ${failed.toString()}\n`;
