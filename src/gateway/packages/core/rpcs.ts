import { accounts, isSameDevice } from '../../../domain/accounts/decide.js';
import { isRejection, type Rejection } from '../../../kernel/decider.js';
import { sessionDeviceOf, type Device, type OpenCall } from '../../contract/call.js';
import { type Handlers } from '../../contract/handlers.js';

/** Longer device texts are cut: they only serve to distinguish sessions. */
export const deviceTextUnitsMax = 128;

export const coreRpcs = (): Handlers<'coreInitialize'> => ({
  // The answer must have its member even when there is nothing to say in it: clients wait for that.
  coreInitialize: async ({ clientId, deviceType, deviceVersion, appVersion, noSubscribe }, call) => {
    const device: Device = {
      clientId,
      deviceType: deviceTextOf(deviceType),
      deviceVersion: deviceTextOf(deviceVersion),
      appVersion: deviceTextOf(appVersion),
      noSubscribe,
    };
    const refused = await changed(call, device);
    if (refused !== undefined) return refused;
    await call.initialize(device);
    return { initialized: {} };
  },
});

/** A copy, because a slice would keep all of a long text in memory for as long as the connection is open. */
const deviceTextOf = (text: string): string => {
  // Half a character at the end would be stored as another one.
  const start = text.slice(0, deviceTextUnitsMax).replace(/[\ud800-\udbff]$/, '');
  return Buffer.from(start, 'utf8').toString('utf8');
};

// Authorize keeps it with the session. A client that has a session already must not have to authorize again for that,
// and a client that says the same again only wants to know whether anybody answers, so nothing is read for that.
const changed = async (call: OpenCall, device: Device): Promise<Rejection | undefined> => {
  const known = call.device && sessionDeviceOf(call.device);
  const now = sessionDeviceOf(device);
  if (call.caller === undefined || (known !== undefined && isSameDevice(known, now))) return undefined;
  const { user, session } = call.caller;
  const data = { user, session, device: now };
  const outcome = await call.run(accounts, { type: 'ChangeDevice', data });
  return isRejection(outcome) ? outcome : undefined;
};
