import { closedSealer } from '../../adapters/sealer/closedSealer.js';
import { systemIds } from '../../adapters/system/ids.js';
import type { IdentityCommand, KeysCommand } from '../../domain/deployments/commands.js';
import { identities, keyCounts } from '../../domain/deployments/decide.js';
import { identityEvents, identityStream, keyCountEvents, keysStream } from '../../domain/deployments/events.js';
import { keysOf, type IdentityState } from '../../domain/deployments/state.js';
import { eventCodec } from '../../kernel/codec.js';
import type { Position } from '../../kernel/event.js';
import { executor, type Cause } from '../../kernel/execute.js';
import { foldedStreams } from '../../kernel/foldedStreams.js';
import type { EventLog } from '../../kernel/ports/eventLog.js';
import type { Clock } from '../../kernel/ports/system.js';

/** The record in the log of the deployment that it belongs to. */
export interface DeploymentRecord {
  read(): Promise<RecordedIdentity>;
  /** Does nothing where the log has a name. Nodes that do it at once leave one event. */
  name(deployment: string): Promise<void>;
  giveUpKeys(deployment: string): Promise<void>;
  /** Does nothing when the log knows of as many keys. */
  countKeys(deployment: string, keys: number): Promise<void>;
}

export type RecordedIdentity = {
  readonly identity: IdentityState;
  /** How many keys the vault of this name had at least. */
  readonly keys: number;
  /** Up to here keys may have been given up. Absent: none ever were. */
  readonly givenUpTo?: Position;
};

const kinds = [...Object.values(identityEvents), ...Object.values(keyCountEvents)];

/** `log` is open. */
export const deploymentRecord = (log: EventLog, clock: Clock): DeploymentRecord => {
  // An event about the deployment has nothing personal in it.
  const needs = { log, codec: eventCodec(kinds, closedSealer), sealer: closedSealer };
  const execute = executor({ ...needs, clock, ids: systemIds(() => 0n), streams: foldedStreams(needs) });
  return {
    read: () => readFrom(needs),
    name: async (deployment) => {
      const command: IdentityCommand = { type: 'NameDeployment', data: { deployment } };
      await execute(identities, command, causeOf(`the deployment is named ${deployment}`));
    },
    giveUpKeys: async (deployment) => {
      const command: IdentityCommand = { type: 'GiveUpKeys', data: { deployment } };
      await execute(identities, command, causeOf(`keys are given up for ${deployment}`));
    },
    countKeys: async (deployment, keys) => {
      const command: KeysCommand = { type: 'CountKeys', data: { deployment, keys } };
      await execute(keyCounts, command, causeOf(`${deployment} has ${keys.toString()} keys`));
    },
  };
};

/** The id of the event follows from what it says: a second node that says the same appends the same event. */
const causeOf = (commandId: string): Cause => ({ commandId, correlationId: commandId });

/** Reads the streams anew each time, because a remembered state may be older than the last write of another node. */
const readFrom = async (needs: Parameters<typeof foldedStreams>[0]): Promise<RecordedIdentity> => {
  const streams = foldedStreams(needs);
  const { state: identity, position } = await streams.caughtUp(identityStream, identities);
  if (identity.status === 'unnamed') return { identity, keys: 0 };
  const { state } = await streams.caughtUp(keysStream, keyCounts);
  const keys = keysOf(state, identity.deployment);
  return identity.givenUp ? { identity, keys, givenUpTo: position } : { identity, keys };
};
