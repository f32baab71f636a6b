import assert from 'node:assert/strict';
import { lmdbEventLog } from '../../src/adapters/eventLog/lmdb.js';
import { vaultSealer } from '../../src/adapters/sealer/vault.js';
import { systemRandom } from '../../src/adapters/system/random.js';
import { systemTimers } from '../../src/adapters/system/timers.js';
import { lmdbVault } from '../../src/adapters/vault/lmdb.js';
import { loadMasterKey } from '../../src/adapters/vault/masterKey.js';
import { eventKinds } from '../../src/domain/registry.js';
import { foldersIn } from '../../src/engines.js';
import { messageEvents, messageStreams } from '../../src/domain/messages/events.js';
import { eventCodec, storedType } from '../../src/kernel/codec.js';
import { beforeAll } from '../../src/kernel/event.js';
import type { Millis } from '../../src/kernel/ids.js';
import type { DocumentStore } from '../../src/kernel/ports/documentStore.js';
import { digestsOf } from '../support/digest.js';
import { generationsIn, servedDocuments } from '../support/generations.js';
import { readsOf } from '../support/reads.js';
import { checkpointOf } from '../../src/projections/progress/checkpoints.js';
import { metricsOf } from '../support/operatorPorts.js';
import { collections, projections } from '../../src/projections/registry.js';

export type Documents = {
  /** Of each collection. */
  readonly digests: Readonly<Record<string, string>>;
  readonly checkpoints: readonly bigint[];
  readonly empty: readonly string[];
};

/** Of a server that has stopped. */
export const documentsIn = async (dataDir: string): Promise<Documents> =>
  documentsOf(await servedDocuments(generationsIn(dataDir)));

/** The digests of what is read from them: with what is personal in them opened by the keys of the folder. */
export const openedDigestsIn = async (dataDir: string): Promise<Documents['digests']> => {
  const { vault: folder, masterKey } = foldersIn(dataDir);
  const vault = await lmdbVault({ folder, masterKey: loadMasterKey(masterKey, { mayMake: false }).key });
  const sealer = await vaultSealer({ vault, timers: systemTimers, random: systemRandom() });
  const store = await servedDocuments(generationsIn(dataDir));
  await store.open(collections);
  const { store: reads } = readsOf(store, { sealer, codec: eventCodec(eventKinds, sealer) });
  const digests = await digestsOf(reads);
  await store.close();
  await vault.close();
  return digests;
};

/** Opens the store, and closes it. */
export const documentsOf = async (store: DocumentStore): Promise<Documents> => {
  await store.open(collections);
  const empty: string[] = [];
  for (const { name } of collections) {
    if ((await store.scan({ collection: name, prefix: '', limit: 1 })).length === 0) empty.push(name);
  }
  const checkpoints = await Promise.all(projections.map((one) => store.checkpoint(checkpointOf(one))));
  // Under another name there would be nothing to compare.
  assert.ok(checkpoints.every((position) => position > beforeAll));
  const digests = await digestsOf(store);
  await store.close();
  return { digests, checkpoints, empty };
};

/** Resolves when all that is in the log is in the stored documents. */
export const caughtUp = async (port: number): Promise<void> => {
  for (;;) {
    const text = await metricsOf(port);
    const lags = [...text.matchAll(/^osmium_lag_positions\{of="[^"]+"\} (\d+)$/gm)].map(([, lag]) => lag);
    assert.ok(lags.length > projections.length);
    if (lags.every((lag) => lag === '0')) return;
  }
};

/** The ids of all messages ever sent, in log order. Of a server that has stopped. */
export const messagesLogged = async (dataDir: string): Promise<readonly bigint[]> => {
  const log = await lmdbEventLog({ folder: foldersIn(dataDir).log, now: () => Date.now() as Millis });
  const ids: bigint[] = [];
  let from = beforeAll;
  for (;;) {
    const events = await log.readAll({ from, limit: pageEvents });
    const last = events.at(-1);
    if (last === undefined) break;
    from = last.position;
    // Streams of messages are named after them.
    for (const { stream, type } of events)
      if (type === storedType(messageEvents.MessageSent)) ids.push(BigInt(messageStreams.keyOf(stream) ?? ''));
  }
  await log.close();
  return ids;
};
const pageEvents = 500;
