import { listenInFolder } from '../../adapters/dataFolder/adminSocket.js';
import { systemTimers } from '../../adapters/system/timers.js';
import { door } from '../../admin/door.js';
import type { ProjectionsAdmin, ProjectionsStatus } from '../../admin/projections.js';
import { verbs } from '../../admin/registry.js';
import { isServer } from '../../config.js';
import { openLeases } from '../../engines.js';
import type { RunningServer, ServerPhase, ServerStatus } from '../../admin/verb.js';
import { atPlace, folderPlace } from '../../startFailure.js';
import { takeBackup } from '../backup/take.js';
import { botsAdmin } from './bots.js';
import { usersAdmin } from './users.js';
import { filesAdmin } from '../files.js';
import { generationsAdmin } from '../generations/admin.js';
import { toldGenerations } from '../generations/told.js';
import { alarms } from '../logging.js';
import { of, type Get } from '../tokens.js';
import { version } from '../version.js';

/** The operator's door of this process, open from the taking of the folder's lock to its release. */
export interface OpenDoor {
  /** Everything that verbs may ask for is open. */
  begin(this: void): void;
  /** From now on no write is begun; those under way are waited for. */
  end(this: void): Promise<void>;
  close(this: void): Promise<void>;
}

/** To be called by the holder of the lock. Throws `BadConfig` when there can be no socket in the data folder. */
export const openDoor = async (get: Get): Promise<OpenDoor> => {
  const config = get(of.config);
  let phase: ServerPhase = 'starting';
  const { accept, quiesce, close } = door({
    verbs,
    server: runningServer(get, () => phase),
    timers: systemTimers,
    failed: (verb, error) => {
      alarms(get)(`the verb ${verb} of the operator failed`)({ error });
    },
  });
  const socket = await atPlace(folderPlace(config, config.dataDir), () => listenInFolder(config.dataDir, accept));
  return {
    begin: () => {
      phase = 'running';
    },
    end: () => {
      phase = 'stopping';
      return quiesce();
    },
    close: () => {
      socket.close();
      close();
      return Promise.resolve();
    },
  };
};

const runningServer = (get: Get, phase: () => ServerPhase): RunningServer => ({
  phase,
  metrics: () => get(of.metrics).text(),
  bots: botsAdmin(get),
  users: usersAdmin(get),
  files: filesAdmin(get),
  takeBackup: (folder, call) => {
    const { heldWhile } = get(of.fileRemovals);
    return takeBackup({ config: get(of.config), folder, open: get(of.parts), call, heldWhile });
  },
  projections: {
    status: () => withOthers(get, projectionsAdmin(get).status()),
    drop: async (name) => (await adminOf(get, name)).drop(name),
    verify: async (name, call) => (await adminOf(get, name)).verify(name, call),
    switchTo: async (name, call) => (await adminOf(get, name)).switchTo(name, call),
    back: (call, projection) =>
      (projection === undefined ? projectionsAdmin(get) : get(of.own).adminNamed(projection)).back(call),
  },
  readOwn: (wish, call) => get(of.own).read(wish, call),
  status: async () => {
    const process_ = {
      phase: phase(),
      version,
      pid: process.pid,
      uptimeSeconds: Math.floor(process.uptime()),
    };
    if (phase() !== 'running') return { ...process_, ready: false, reason: `the server is ${phase()}` };
    return { ...process_, ...(await runningStatus(get)) };
  },
});

const runningStatus = async (get: Get): Promise<Pick<ServerStatus, 'ready' | 'reason' | 'report' | 'connections'>> => {
  const { sockets, hub } = get(of.gateway);
  const { ready, reason, ...report } = await get(of.health).readiness();
  const connections = { open: sockets.count(), signedOut: sockets.signedOut(), users: hub.users() };
  return { ready, ...(reason === undefined ? {} : { reason }), report, connections };
};

/** With all that is built beside the read models. */
const withOthers = async (get: Get, status: Promise<ProjectionsStatus>): Promise<ProjectionsStatus> => {
  const [found, search, own] = [await status, await get(of.search).status(), await get(of.own).generations()];
  return {
    ...found,
    ...(search === undefined
      ? {}
      : { search: { generation: search.generation, position: search.position.toString() } }),
    ...(own.length === 0 ? {} : { own }),
  };
};

/** Of the kind that the generation is of. */
const adminOf = async (get: Get, generation: string): Promise<ProjectionsAdmin> =>
  (await get(of.own).adminOf(generation)) ?? projectionsAdmin(get);

const projectionsAdmin = (get: Get): ProjectionsAdmin => {
  const [config, live] = [get(of.config), get(of.generations)];
  return generationsAdmin({
    generations: get(of.parts).documents.generations,
    readModels: get(of.readModels),
    set: get(of.deployed).generation.set,
    running: { live, end: () => get(of.log).end(), ...toldGenerations(get, get(of.deployed).generation.set) },
    ...(isServer(config.documents)
      ? { leases: () => openLeases({ config, timers: systemTimers, servers: 'demanded', warn: () => undefined }) }
      : {}),
  });
};
