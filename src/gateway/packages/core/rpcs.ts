import type { SessionDevice } from '../../../domain/accounts/commands.js';
import { isSameDevice } from '../../../domain/accounts/decide.js';
import type { DeviceChanges } from '../../access/deviceChanges.js';
import { sessionDeviceOf, type Device, type OpenCall } from '../../contract/call.js';
import { type Handlers } from '../../contract/handlers.js';

/** Longer device texts are cut: they only serve to distinguish sessions. */
export const deviceTextUnitsMax = 128;

export type CoreNeeds = { readonly devices: Pick<DeviceChanges, 'named'> };

export const coreRpcs = ({ devices }: CoreNeeds): Handlers<'coreInitialize'> => ({
  // The answer must have its member even when there is nothing to say in it: clients wait for that.
  coreInitialize: async ({ clientId, deviceType, deviceVersion, appVersion, noSubscribe }, call) => {
    const device: Device = {
      clientId,
      deviceType: deviceTextOf(deviceType),
      deviceVersion: deviceTextOf(deviceVersion),
      appVersion: deviceTextOf(appVersion),
      noSubscribe,
    };
    const changed = changedBy(call, device);
    await call.initialize(device);
    if (changed !== undefined && call.caller !== undefined) devices.named(call.caller, changed);
    return { initialized: {} };
  },
});

/** A copy, because a slice would keep all of a long text in memory for as long as the connection is open. */
const deviceTextOf = (text: string): string => {
  // Half a character at the end would be stored as another one.
  const start = text.slice(0, deviceTextUnitsMax).replace(/[\ud800-\udbff]$/, '');
  return Buffer.from(start, 'utf8').toString('utf8');
};

/**
 * Authorize keeps the device with the session. A client that has a session already must not have to authorize again for
 * that, and a client that says the same again only wants to know whether anybody answers.
 */
const changedBy = (call: OpenCall, device: Device): SessionDevice | undefined => {
  const known = call.device && sessionDeviceOf(call.device);
  const now = sessionDeviceOf(device);
  return known !== undefined && isSameDevice(known, now) ? undefined : now;
};
