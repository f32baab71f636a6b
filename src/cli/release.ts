import type { Socket } from 'node:net';
import { askDoor } from '../admin/doorClient.js';
import { parsedJson } from '../kernel/json.js';

export type ReleaseNeeds = {
  readonly folder: string;
  readonly connect: (folder: string) => Promise<Socket | undefined>;
  /** Of this program. */
  readonly version: string;
};

/** A server that is too busy to answer within this is not waited for. */
const answerMillisMax = 2_000;

/**
 * A sentence that says so when the server on the data folder is of another release than this program, which may then
 * read its files wrongly. `undefined` when the releases are the same, and when no server answers.
 */
export const otherRelease = async (needs: ReleaseNeeds): Promise<string | undefined> => {
  const running = await releaseOf(needs).catch(() => undefined);
  if (running === undefined || running === needs.version) return undefined;
  return (
    `the server on ${needs.folder} is of release ${running}, this program of ${needs.version}: ` +
    'use the one of the server where something looks wrong'
  );
};

const releaseOf = async ({ folder, connect }: ReleaseNeeds): Promise<string | undefined> => {
  const socket = await connect(folder);
  if (socket === undefined) return undefined;
  const call = { progress: () => undefined, signal: AbortSignal.timeout(answerMillisMax) };
  const outcome = await askDoor(socket, { verb: 'status', arguments: { json: true } }, call);
  const status: unknown = outcome.status === 'done' ? parsedJson(outcome.text) : undefined;
  const isStatus = typeof status === 'object' && status !== null && 'version' in status;
  return isStatus && typeof status.version === 'string' ? status.version : undefined;
};
