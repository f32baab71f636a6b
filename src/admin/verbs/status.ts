import type { Report } from '../../gateway/operations/health.js';
import { done } from '../doorProtocol.js';
import { declareVerb, type ServerStatus } from '../verb.js';

export const status = declareVerb({
  name: 'status',
  access: 'read',
  says: 'Say whether the running server is ready, and if not why; ends with 1 when it is not.',
  arguments: { json: { kind: 'flag', says: 'one JSON object on one line' } },
  folders: 'option',
  running: async (server, { json }) => {
    const found = await server.status();
    return done(json ? `${JSON.stringify(found)}\n` : lines(rowsOf(found)), found.ready ? 0 : 1);
  },
  stopped: 'no server runs on this data folder',
});

type StatusRow = readonly [name: string, value: string];

const rowsOf = ({ ready, reason, phase, version, pid, uptimeSeconds, ...rest }: ServerStatus): readonly StatusRow[] => [
  ['ready', ready ? 'yes' : `no: ${reason ?? 'unknown'}`],
  ['phase', phase],
  ['version', version],
  ['process', `${pid.toString()}, up for ${uptimeSeconds.toString()} s`],
  ...connectionRows(rest),
  ...partRows(rest),
];

const connectionRows = ({ connections }: Pick<ServerStatus, 'connections'>): readonly StatusRow[] => {
  if (connections === undefined) return [];
  const { open, signedOut, users } = connections;
  const counts = `${open.toString()}, ${signedOut.toString()} of them without a session; ${users.toString()} users`;
  return [['connections', counts]];
};

const partRows = ({ report }: Pick<ServerStatus, 'report'>): readonly StatusRow[] => {
  if (report === undefined) return [];
  const { log, documents, otherNodes, writes, node, role, generation, lags, stopped, own } = report;
  return [
    ['node', node === null ? 'none: no number for ids' : node.toString()],
    ['role', role],
    ['generation', generation],
    ...besideRows(report),
    ['log', log],
    ['documents', documents],
    ['other nodes', otherNodes],
    ['writes', writes],
    ...lags.map(({ of, positions, seconds }): StatusRow => {
      const behind = `${positions.toString()} positions, ${seconds.toFixed(1)} s behind`;
      return [of, stopped.includes(of) ? `STOPPED, ${behind}` : behind];
    }),
    ...own.flatMap(({ name, stopped: why }): StatusRow[] => (why === null ? [] : [[`own ${name}`, `STOPPED: ${why}`]])),
  ];
};

const besideRows = ({ generations }: Report): readonly StatusRow[] =>
  generations.flatMap(({ name, isServing, positions }): StatusRow[] =>
    isServing ? [] : [['beside it', `${name}, ${positions.toString()} positions behind`]],
  );

const lines = (rows: readonly StatusRow[]): string => {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('');
};
